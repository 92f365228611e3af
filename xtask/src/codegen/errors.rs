//! Generates `etcd_errors::Code` from the table of etcd's errors, `etcd-errors/table/v3rpc.tsv`.

use std::collections::HashSet;

use anyhow::{Context as _, Result, bail, ensure};

/// The gRPC codes of errors, spelled like the variants of `etcd_errors::GrpcCode`.
const GRPC_CODES: [&str; 16] = [
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// `max_width` of the workspace's rustfmt.toml: the output must pass `cargo fmt --check`.
const MAX_WIDTH: usize = 110;

struct Row<'a> {
    name: &'a str,
    grpc: &'a str,
    outcome: &'static str,
    message: &'a str,
}

/// Returns the text of `etcd-errors/src/code/generated.rs` for the text of the table.
///
/// # Errors
///
/// Returns an error with the number of a line that is malformed, or that repeats a name or a message.
pub(crate) fn generate(table: &str) -> Result<String> {
    let rows = parse(table)?;
    let mut out = String::from(
        "//! Generated from `table/v3rpc.tsv` by `cargo xtask codegen`: edit the table, not this file.\n\n\
         use super::Row;\n\
         use crate::grpc_code::GrpcCode;\n\
         use crate::kind::Outcome;\n\n",
    );
    write_enum(&mut out, &rows);
    write_rows(&mut out, &rows);
    Ok(out)
}

fn parse(table: &str) -> Result<Vec<Row<'_>>> {
    let mut rows = Vec::new();
    let (mut names, mut messages) = (HashSet::new(), HashSet::new());
    for (at, line) in table.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let row = parse_row(line).with_context(|| format!("v3rpc.tsv line {}", at + 1))?;
        ensure!(names.insert(row.name), "v3rpc.tsv line {}: duplicate name {}", at + 1, row.name);
        ensure!(messages.insert(row.message), "v3rpc.tsv line {}: duplicate message", at + 1);
        rows.push(row);
    }
    ensure!(!rows.is_empty(), "v3rpc.tsv has no rows");
    Ok(rows)
}

fn parse_row(line: &str) -> Result<Row<'_>> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, grpc, outcome, message] = columns[..] else {
        bail!("{} columns instead of 4", columns.len());
    };
    let camel = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && name != "Other";
    ensure!(camel, "{name:?} is not a name for a variant");
    ensure!(GRPC_CODES.contains(&grpc), "{grpc:?} is not a gRPC code of an error");
    let outcome = match outcome {
        "not-applied" => "NotApplied",
        "unknown" => "Unknown",
        _ => bail!("outcome {outcome:?} is neither not-applied nor unknown"),
    };
    let plain =
        !message.is_empty() && message.chars().all(|c| matches!(c, ' '..='~') && !"\"\\`".contains(c));
    ensure!(plain, "message {message:?} is empty or holds a character that needs escaping");
    Ok(Row { name, grpc, outcome, message })
}

fn write_enum(out: &mut String, rows: &[Row<'_>]) {
    out.push_str(
        "/// An error of the etcd v3 API.\n\
         ///\n\
         /// The variants are named after the Go client's variables, without `Err`. [`Other`](Self::Other) stands\n\
         /// for an error that is not in etcd's table.\n\
         #[non_exhaustive]\n\
         #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]\n\
         pub enum Code {\n",
    );
    for row in rows {
        out.push_str(&format!("    /// `{}` ({}).\n    {},\n", row.message, row.grpc, row.name));
    }
    out.push_str(
        "    /// An error that is not in etcd's table, with its gRPC code.\n    \
             Other(GrpcCode),\n\
         }\n\n",
    );
}

fn write_rows(out: &mut String, rows: &[Row<'_>]) {
    out.push_str(&format!("pub(super) const ROWS: [Row; {}] = [\n", rows.len()));
    for row in rows {
        out.push_str(&call(row));
    }
    out.push_str("];\n");
}

/// Returns one call, with the line breaks of rustfmt.
fn call(row: &Row<'_>) -> String {
    let arguments = [
        format!("Code::{}", row.name),
        format!("{:?}", row.name),
        format!("GrpcCode::{}", row.grpc),
        format!("Outcome::{}", row.outcome),
        format!("{:?}", row.message),
    ];
    let line = format!("    Row::new({}),\n", arguments.join(", "));
    if line.len() <= MAX_WIDTH + 1 {
        return line;
    }
    let broken: String = arguments.iter().map(|argument| format!("        {argument},\n")).collect();
    format!("    Row::new(\n{broken}    ),\n")
}

#[cfg(test)]
mod tests {
    use super::generate;

    const ROW: &str = "EmptyKey\tInvalidArgument\tnot-applied\tetcdserver: key is not provided\n";

    fn refusal(table: &str) -> String {
        format!("{:#}", generate(table).expect_err("the table is wrong"))
    }

    #[test]
    fn a_row_becomes_a_variant_and_an_entry() {
        let out = generate(&format!("# comment\n\n{ROW}")).expect("the table is right");
        assert!(
            out.contains("    /// `etcdserver: key is not provided` (InvalidArgument).\n    EmptyKey,\n"),
            "{out}"
        );
        assert!(out.contains("const ROWS: [Row; 1] = ["), "{out}");
        assert!(out.contains("        Outcome::NotApplied,\n"), "{out}");
        assert!(out.lines().all(|line| line.len() <= super::MAX_WIDTH), "{out}");
    }

    #[test]
    fn a_wrong_table_is_rejected_with_its_line() {
        for (table, reason) in [
            ("", "no rows"),
            ("A\tUnknown\tunknown\n", "line 1: 3 columns"),
            ("a b\tUnknown\tunknown\tx\n", "is not a name"),
            ("Other\tUnknown\tunknown\tx\n", "is not a name"),
            ("A\tCanceled\tunknown\tx\n", "is not a gRPC code"),
            ("A\tUnknown\tapplied\tx\n", "is neither"),
            ("A\tUnknown\tunknown\ta \"b\"\n", "needs escaping"),
            ("A\tUnknown\tunknown\tx\nA\tUnknown\tunknown\ty\n", "line 2: duplicate name A"),
            ("A\tUnknown\tunknown\tx\nB\tUnknown\tunknown\tx\n", "line 2: duplicate message"),
        ] {
            let refusal = refusal(table);
            assert!(refusal.contains(reason), "{refusal:?} does not say {reason:?}");
        }
    }
}
