//! The rule that keeps `docs/parity.md` complete and true: it answers every symbol of the Go client, once, and the
//! Rust paths that it names exist.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::api::Api;
use crate::workspace::File;

/// The page: rows of symbols, state, and the counterpart or the reason; and rows of what is counted and its number.
const PAGE: &str = "docs/parity.md";
/// The symbols of the Go client, written by the program beside it.
const LIST: &str = "ci/parity/symbols.txt";
/// The crates whose paths the page names.
const CRATES: [&str; 4] = ["etcd-proto", "etcd-errors", "etcd-client-core", "etcd-concurrency"];

const COUNTERPART: &str = "counterpart";
const NONE: &str = "deliberately none";
const NOT_YET: &str = "not yet";

/// The first cell of the row above each table of symbols.
const HEADING: &str = "Go";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    match (find(PAGE), find(LIST)) {
        (Some(page), Some(list)) => compare(page, list, &Api::new(files, &CRATES)),
        (page, _) => {
            let missing = if page.is_none() { PAGE } else { LIST };
            vec![Finding::new("parity", missing, 1, "the file is missing")]
        }
    }
}

/// A row that answers symbols.
#[derive(Debug)]
struct Row<'a> {
    line: usize,
    symbols: Vec<&'a str>,
    state: &'a str,
    answer: &'a str,
}

impl Row<'_> {
    /// The part that a `not yet` waits for: the word in front of the colon.
    fn part(&self) -> Option<&str> {
        let (part, _) = self.answer.split_once(':').unwrap_or((self.answer, ""));
        let is_word = !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == ' ');
        is_word.then_some(part)
    }
}

fn compare(page: &str, list: &str, api: &Api) -> Vec<Finding> {
    let rows = rows(page);
    let mut findings = symbols(&rows, list);
    findings.extend(rows.iter().filter_map(|row| {
        let what = wrong(row, api)?;
        Some(Finding::new("parity", PAGE, row.line, what))
    }));
    findings.extend(counts(&rows, page));
    findings
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let mut found = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let Some([symbols, state, answer]) = cells(line).and_then(|cells| <[&str; 3]>::try_from(cells).ok())
        else {
            continue;
        };
        if symbols != HEADING && !symbols.starts_with("---") {
            found.push(Row { line: index + 1, symbols: quoted(symbols), state, answer });
        }
    }
    found
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Symbols without an answer, with two, and answers to what is no symbol.
fn symbols(rows: &[Row<'_>], list: &str) -> Vec<Finding> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let listed: BTreeSet<_> =
        lines.filter_map(|line| line.split_once('\t')).map(|(_, symbol)| symbol).collect();
    let mut answered = BTreeSet::new();
    let mut findings = Vec::new();
    for row in rows {
        let mut found = |what: String| findings.push(Finding::new("parity", PAGE, row.line, what));
        if row.symbols.is_empty() {
            found("name the symbols of the row in backticks".to_owned());
        }
        for symbol in &row.symbols {
            if !listed.contains(symbol) {
                found(format!("`{symbol}` is not in {LIST}: the Go client exports no such symbol"));
            } else if !answered.insert(*symbol) {
                found(format!("`{symbol}` has a row already"));
            }
        }
    }
    let missing = listed.difference(&answered);
    findings.extend(missing.map(|symbol| {
        let what =
            format!("`{symbol}` has no row: name its counterpart, why there is none, or what it waits for");
        Finding::new("parity", PAGE, 1, what)
    }));
    findings
}

/// What is wrong with the state of a row or with the answer that belongs to it.
fn wrong(row: &Row<'_>, api: &Api) -> Option<String> {
    let named: Vec<_> = quoted(row.answer).into_iter().filter(|path| path.starts_with("etcd_")).collect();
    let missing = || {
        let mut found = named.iter().filter_map(|path| Some((path, api.missing(path)?)));
        found.next().map(|(path, why)| format!("`{path}` does not exist: {why}"))
    };
    match row.state {
        COUNTERPART if named.is_empty() => {
            Some("name the counterpart as a path from its crate on".to_owned())
        }
        COUNTERPART => missing(),
        NONE if row.answer.is_empty() => Some("say why there is none".to_owned()),
        NONE => missing(),
        NOT_YET if row.part().is_none() => Some("say which part it waits for, and a colon".to_owned()),
        NOT_YET if !named.is_empty() && missing().is_none() => {
            Some(format!("`{}` exists by now: make the row a `{COUNTERPART}`", named[0]))
        }
        NOT_YET => {
            named.iter().find(|path| !api.knows_crate_of(path)).map(|path| format!("`{path}` is in no crate"))
        }
        state => Some(format!("`{state}` is no state: write {COUNTERPART}, {NONE} or {NOT_YET}")),
    }
}

/// The numbers at the top: symbols in each state, and those that wait for each part.
fn counts(rows: &[Row<'_>], page: &str) -> Vec<Finding> {
    let mut counted: BTreeMap<_, _> = [COUNTERPART, NONE, NOT_YET].map(|state| (state.to_owned(), 0)).into();
    for row in rows {
        *counted.entry(row.state.to_owned()).or_default() += row.symbols.len();
        if let Some(part) = row.part().filter(|_| row.state == NOT_YET) {
            *counted.entry(format!("{NOT_YET}: {part}")).or_default() += row.symbols.len();
        }
    }
    let mut findings = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let Some([what, number]) = cells(line).and_then(|cells| <[&str; 2]>::try_from(cells).ok()) else {
            continue;
        };
        let Ok(number) = number.parse::<usize>() else { continue };
        let actual = counted.remove(what).unwrap_or_default();
        if actual != number || actual == 0 {
            let what =
                format!("`{what}` counts {actual} symbols: write so, or remove the row if nothing is left");
            findings.push(Finding::new("parity", PAGE, index + 1, what));
        }
    }
    let unsaid = counted.into_iter().filter(|(_, number)| *number > 0);
    findings.extend(unsaid.map(|(what, number)| {
        Finding::new("parity", PAGE, 1, format!("the numbers at the top lack `| {what} | {number} |`"))
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str =
        "# Names.\nfunc\tclientv3.New\nmethod\tclientv3.KV.Put\nmethod\tclientv3.Watcher.Close\n";
    const ROWS: [&str; 3] = [
        "| `clientv3.New` | deliberately none | as `etcd_errors::Code` is |",
        "| `clientv3.KV.Put` | counterpart | `etcd_errors::Code::Empty` |",
        "| `clientv3.Watcher.Close` | not yet | watch: `etcd_errors::Watch::cancel` |",
    ];
    const COUNTS: &str =
        "| counterpart | 1 |\n| deliberately none | 1 |\n| not yet | 1 |\n| not yet: watch | 1 |\n";

    fn findings(counts: &str, rows: &[&str]) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let page =
            format!("# Parity\n\n{counts}\n| Go | State | Answer |\n|---|---|---|\n{}\n", rows.join("\n"));
        let code = "pub enum Code {\n    Empty,\n}\n";
        let files = [file(PAGE, &page), file(LIST, SYMBOLS), file("etcd-errors/src/lib.rs", code)];
        check(&files).into_iter().map(|finding| finding.what).collect()
    }

    /// The one finding when the row at `index` is replaced; the counts that follow from it are left aside.
    fn with_row(index: usize, row: &str) -> String {
        let mut rows = ROWS;
        rows[index] = row;
        let found = findings("", &rows).into_iter().filter(|what| !what.starts_with("the numbers"));
        found.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_complete_page_is_in_order() {
        assert_eq!(findings(COUNTS, &ROWS), [""; 0]);
    }

    #[test]
    fn every_symbol_has_one_row() {
        assert!(with_row(1, "").starts_with("`clientv3.KV.Put` has no row"));
        let twice = "| `clientv3.KV.Put`, `clientv3.New` | counterpart | `etcd_errors::Code` |";
        assert_eq!(with_row(1, twice), "`clientv3.New` has a row already");
        let unknown = "| `clientv3.KV.Put`, `clientv3.KV.Pat` | counterpart | `etcd_errors::Code` |";
        assert!(with_row(1, unknown).starts_with("`clientv3.KV.Pat` is not in"));
        let unquoted = with_row(1, "| clientv3.KV.Put | counterpart | `etcd_errors::Code` |");
        assert!(unquoted.starts_with("name the symbols of the row in backticks"), "{unquoted}");
    }

    #[test]
    fn an_unknown_state_is_found() {
        assert!(
            with_row(1, "| `clientv3.KV.Put` | maybe | `etcd_errors::Code` |")
                .starts_with("`maybe` is no state")
        );
    }

    #[test]
    fn a_counterpart_exists() {
        let misspelt = with_row(1, "| `clientv3.KV.Put` | counterpart | `etcd_errors::Code::Emtpy` |");
        assert_eq!(
            misspelt,
            "`etcd_errors::Code::Emtpy` does not exist: `etcd_errors::Code` has no public `Emtpy`"
        );
        let second =
            with_row(1, "| `clientv3.KV.Put` | counterpart | `etcd_errors::Code` or `etcd_erors::Code` |");
        assert!(second.starts_with("`etcd_erors::Code` does not exist"), "{second}");
        assert!(
            with_row(1, "| `clientv3.KV.Put` | counterpart | Code |").starts_with("name the counterpart")
        );
    }

    #[test]
    fn none_has_a_reason_that_is_true() {
        assert_eq!(with_row(0, "| `clientv3.New` | deliberately none | |"), "say why there is none");
        let gone = with_row(0, "| `clientv3.New` | deliberately none | see `etcd_errors::Gone` |");
        assert!(gone.starts_with("`etcd_errors::Gone` does not exist"), "{gone}");
    }

    #[test]
    fn not_yet_says_what_it_waits_for_and_ends_when_that_is_there() {
        let close = |answer: &str| with_row(2, &format!("| `clientv3.Watcher.Close` | not yet | {answer} |"));
        assert_eq!(close("watch"), "");
        assert!(close("").starts_with("say which part"));
        assert!(close("`etcd_errors::Watch`").starts_with("say which part"));
        assert!(
            close("watch: `etcd_errors::Code::Empty`")
                .starts_with("`etcd_errors::Code::Empty` exists by now")
        );
        assert!(close("watch: `etcd_erors::Watch`").starts_with("`etcd_erors::Watch` is in no crate"));
    }

    #[test]
    fn the_numbers_at_the_top_are_counted() {
        let wrong = findings(&COUNTS.replace("counterpart | 1", "counterpart | 2"), &ROWS);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("`counterpart` counts 1"), "{wrong:?}");
        let lacking = findings(&COUNTS.replace("| not yet: watch | 1 |\n", ""), &ROWS);
        assert_eq!(lacking, ["the numbers at the top lack `| not yet: watch | 1 |`"]);
        let stale = findings(&format!("{COUNTS}| not yet: leases | 3 |\n"), &ROWS);
        assert!(stale[0].starts_with("`not yet: leases` counts 0"), "{stale:?}");
    }

    #[test]
    fn page_and_list_are_there() {
        assert_eq!(check(&[]).len(), 1);
    }
}
