//! The rule that keeps the table in `docs/retry.md` true: each RPC that the client calls, with the class and the default
//! deadline that the transport gives it.

use std::collections::BTreeMap;

use super::Finding;
use crate::workspace::File;

/// The page, whose table has the columns RPC, class, default deadline and whatever else a reader should know.
const PAGE: &str = "docs/retry.md";
/// The transport's own table.
const METHODS: &str = "etcd-client-core/src/transport/method.rs";

/// How the page says what the transport's table says.
const CLASSES: [(&str, &str); 4] =
    [("Read", "read"), ("Idempotent", "idempotent"), ("Write", "write"), ("Forwarded", "forwarded")];

/// The first cell of the row above the table.
const HEADING: &str = "RPC";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let (Some(page), Some(methods)) = (find(PAGE), find(METHODS)) else {
        return vec![Finding::new(
            "retry-table",
            PAGE,
            1,
            format!("the page needs {METHODS}, and the other way round"),
        )];
    };
    let Some(mut facts) = facts(methods) else {
        let what =
            "neither the RPCs nor their default deadline can be read: teach xtask/src/tidy/retry_table.rs";
        return vec![Finding::new("retry-table", METHODS, 1, what)];
    };
    let mut findings = Vec::new();
    for (line, rpc, said) in rows(page) {
        let what = match facts.remove(rpc) {
            Some(actual) if actual == said => continue,
            Some(actual) => format!("`{rpc}` is {} with deadline {}: write so", actual.0, actual.1),
            None => format!("`{rpc}` is no RPC of {METHODS}, or has a row already"),
        };
        findings.push(Finding::new("retry-table", PAGE, line, what));
    }
    findings.extend(facts.iter().map(|(rpc, (class, deadline))| {
        Finding::new("retry-table", PAGE, 1, format!("the table lacks | `{rpc}` | {class} | {deadline} |"))
    }));
    findings
}

/// Line, RPC, and class with deadline of each row.
fn rows(page: &str) -> impl Iterator<Item = (usize, &str, (String, String))> {
    let mut in_table = false;
    page.lines().enumerate().filter_map(move |(index, line)| {
        let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
        let cells: Vec<_> = inner.map(|inner| inner.split('|').map(str::trim).collect()).unwrap_or_default();
        let [rpc, class, deadline, ..] = cells[..] else {
            in_table = false;
            return None;
        };
        let starts = rpc == HEADING;
        let is_row = in_table && !rpc.starts_with("---");
        in_table |= starts;
        is_row.then(|| (index + 1, rpc.trim_matches('`'), (class.to_owned(), deadline.to_owned())))
    })
}

/// Class and default deadline of each RPC, named by its service and itself.
fn facts(methods: &str) -> Option<BTreeMap<&str, (String, String)>> {
    let (_, seconds) = methods.split_once("const DEFAULT_TIMEOUT: Duration = Duration::from_secs(")?;
    let default = format!("{} s", seconds.split_once(')')?.0);
    let mut facts = BTreeMap::new();
    for call in methods.split("Facts(\"/").skip(1) {
        let (path, rest) = call.split_once('"')?;
        let rpc = path.strip_prefix("etcdserverpb.").unwrap_or(path);
        let behind_name = rest.splitn(3, '"').nth(2)?;
        let mut arguments =
            behind_name.split([',', ')']).map(str::trim).filter(|argument| !argument.is_empty());
        let (class, patience) = (arguments.next()?, arguments.next()?);
        let deadline = match patience {
            "D" => default.clone(),
            "U" => "none".to_owned(),
            _ => return None,
        };
        let (_, class) = CLASSES.into_iter().find(|(variant, _)| *variant == class)?;
        facts.insert(rpc, (class.to_owned(), deadline));
    }
    // What the enum lists and the table lacks does not compile; what this function overlooks must not pass.
    let (_, listed) = methods.split_once("const ALL: [Self; ")?;
    let listed: usize = listed.split_once(']')?.0.parse().ok()?;
    (facts.len() == listed).then_some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);\nconst ALL: [Self; 3] = [];\n\
        Self::Range => Facts(\"/etcdserverpb.KV/Range\", \"get (one)\", Read, D),\n\
        Self::Put => {\n    Facts(\"/etcdserverpb.KV/Put\", \"put\", Write, D)\n}\n\
        Self::Hash => Facts(\"/etcdserverpb.Maintenance/Hash\", \"hash\", Idempotent, U),\n";
    const TABLE: &str = "| RPC | Class | Default deadline |\n|---|---|---|\n| `KV/Range` | read | 5 s |\n\
        | `KV/Put` | write | 5 s |\n| `Maintenance/Hash` | idempotent | none |\n";

    fn findings(code: &str, page: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let files = [file(METHODS, code), file(PAGE, page)];
        check(&files).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_page_that_agrees_is_in_order() {
        assert_eq!(findings(CODE, TABLE), [""; 0]);
        let other = "| Answer | Class | What follows |\n|---|---|---|\n| `Lost` | read | again |\n";
        assert_eq!(findings(CODE, &format!("{other}\n{TABLE}\n{other}")), [""; 0]);
    }

    #[test]
    fn a_row_is_missing_unknown_double_or_wrong() {
        let lacking = findings(CODE, &TABLE.replace("| `KV/Put` | write | 5 s |\n", ""));
        assert_eq!(lacking, ["the table lacks | `KV/Put` | write | 5 s |"]);
        assert_eq!(findings(CODE, &TABLE.replace("KV/Put", "KV/Pat")).len(), 2);
        assert_eq!(findings(CODE, &format!("{TABLE}| `KV/Put` | write | 5 s |\n")).len(), 1);
        assert!(findings(CODE, &TABLE.replace("write", "read"))[0].starts_with("`KV/Put` is write"));
        assert!(
            findings(CODE, &TABLE.replace("none", "5 s"))[0].starts_with("`Maintenance/Hash` is idempotent")
        );
        assert_eq!(findings(&CODE.replace("secs(5)", "secs(7)"), TABLE).len(), 2);
    }

    #[test]
    fn code_that_cannot_be_read_is_found() {
        assert_eq!(findings("", TABLE).len(), 1);
        assert_eq!(findings(&CODE.replace("; 3]", "; 4]"), TABLE).len(), 1);
        assert_eq!(findings(&CODE.replace(", D)", ", Patience::Default)"), TABLE).len(), 1);
    }

    #[test]
    fn the_page_is_there() {
        assert_eq!(check(&[]).len(), 1);
    }
}
