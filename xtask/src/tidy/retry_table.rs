//! The retry table: `docs/retry.md` lists each RPC with the class and the default deadline that the transport uses.

use std::collections::BTreeMap;

use super::Finding;
use crate::workspace::File;

/// The page. The first columns of its table are RPC, class and default deadline.
const PAGE: &str = "docs/retry.md";
/// The table in the transport's source.
const METHODS: &str = "etcd-client-core/src/transport/grpc/method.rs";

/// The classes in the source and on the page.
const CLASSES: [(&str, &str); 4] =
    [("Read", "read"), ("Idempotent", "idempotent"), ("Write", "write"), ("Forwarded", "forwarded")];

/// The first header cell of the table.
const HEADING: &str = "RPC";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let (Some(page), Some(methods)) = (find(PAGE), find(METHODS)) else {
        return vec![Finding::new("retry-table", PAGE, 1, format!("{PAGE} or {METHODS} is missing"))];
    };
    let Some(mut facts) = facts(methods) else {
        let what = "the table of RPCs has an unknown form: adapt xtask/src/tidy/retry_table.rs";
        return vec![Finding::new("retry-table", METHODS, 1, what)];
    };
    let mut findings = Vec::new();
    for (line, rpc, said) in rows(page) {
        let what = match facts.remove(rpc) {
            Some(actual) if actual == said => continue,
            Some(actual) => format!("`{rpc}` has the class {} and the deadline {}", actual.0, actual.1),
            None => format!("`{rpc}` is not an RPC of {METHODS}, or already has a row"),
        };
        findings.push(Finding::new("retry-table", PAGE, line, what));
    }
    findings.extend(facts.iter().map(|(rpc, (class, deadline))| {
        Finding::new("retry-table", PAGE, 1, format!("the table lacks | `{rpc}` | {class} | {deadline} |"))
    }));
    findings
}

/// Returns the line, the RPC, and the class with the deadline of each row.
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

/// Returns the class and the default deadline of each RPC, by service and name.
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
    // A listed RPC without a row does not compile. The count guards against rows that this function fails to read.
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
    fn a_matching_page_has_no_findings() {
        assert_eq!(findings(CODE, TABLE), [""; 0]);
        let other = "| Answer | Class | What follows |\n|---|---|---|\n| `Lost` | read | again |\n";
        assert_eq!(findings(CODE, &format!("{other}\n{TABLE}\n{other}")), [""; 0]);
    }

    #[test]
    fn missing_unknown_duplicate_and_wrong_rows_are_reported() {
        let lacking = findings(CODE, &TABLE.replace("| `KV/Put` | write | 5 s |\n", ""));
        assert_eq!(lacking, ["the table lacks | `KV/Put` | write | 5 s |"]);
        assert_eq!(findings(CODE, &TABLE.replace("KV/Put", "KV/Pat")).len(), 2);
        assert_eq!(findings(CODE, &format!("{TABLE}| `KV/Put` | write | 5 s |\n")).len(), 1);
        assert!(
            findings(CODE, &TABLE.replace("write", "read"))[0].starts_with("`KV/Put` has the class write")
        );
        assert!(
            findings(CODE, &TABLE.replace("none", "5 s"))[0]
                .starts_with("`Maintenance/Hash` has the class idempotent")
        );
        assert_eq!(findings(&CODE.replace("secs(5)", "secs(7)"), TABLE).len(), 2);
    }

    #[test]
    fn an_unknown_form_of_the_source_is_reported() {
        assert_eq!(findings("", TABLE).len(), 1);
        assert_eq!(findings(&CODE.replace("; 3]", "; 4]"), TABLE).len(), 1);
        assert_eq!(findings(&CODE.replace(", D)", ", DefaultTimeout::Default)"), TABLE).len(), 1);
    }

    #[test]
    fn a_missing_page_is_reported() {
        assert_eq!(check(&[]).len(), 1);
    }
}
