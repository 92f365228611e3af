//! The parity table: `docs/parity.md` has one row for each exported symbol of the Go client.
//!
//! `rustdoc` checks the Rust paths of the page; see `xtask/build.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::workspace::File;

/// The page. Its tables have the columns symbols, state, and counterpart or reason; a table at the top has the counts.
const PAGE: &str = "docs/parity.md";
/// The symbols of the Go client, written by `ci/parity/symbols.go`.
const LIST: &str = "ci/parity/symbols.txt";
/// The states of a row. A row that is not yet done names, before a colon, the part of the project it waits for.
const STATES: [&str; 3] = ["counterpart", "deliberately none", NOT_YET];
const NOT_YET: &str = "not yet";
/// The first header cell of a table of symbols.
const HEADING: &str = "Go";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let (rows, mut findings) = (rows(find(PAGE)), Vec::new());
    findings.extend(symbols(&rows, find(LIST)));
    findings.extend(rows.iter().filter_map(|row| Some((row.line, wrong(row)?))));
    findings.extend(counts(&rows, find(PAGE)));
    findings.into_iter().map(|(line, what)| Finding::new("parity", PAGE, line, what)).collect()
}

/// A row of a table of symbols.
#[derive(Debug)]
struct Row<'a> {
    line: usize,
    symbols: Vec<&'a str>,
    state: &'a str,
    answer: &'a str,
}

impl Row<'_> {
    /// Returns the part of the project that a row in the state `not yet` waits for.
    fn part(&self) -> Option<&str> {
        let part = self.answer.split(':').next()?;
        let is_word = !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == ' ');
        is_word.then_some(part)
    }
}

fn cells<const N: usize>(line: &str) -> Option<[&str; N]> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    inner.split('|').map(str::trim).collect::<Vec<_>>().try_into().ok()
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let rows = page.lines().enumerate().filter_map(|(index, line)| {
        let [symbols, state, answer] = cells(line)?;
        let is_row = symbols != HEADING && !symbols.starts_with("---");
        let symbols = symbols.split('`').skip(1).step_by(2).collect();
        is_row.then_some(Row { line: index + 1, symbols, state, answer })
    });
    rows.collect()
}

/// Reports symbols without a row, symbols with two rows, and rows without a symbol of the list.
fn symbols(rows: &[Row<'_>], list: &str) -> Vec<(usize, String)> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let listed: BTreeSet<_> =
        lines.filter_map(|line| line.split_once('\t')).map(|(_, symbol)| symbol).collect();
    let mut answered = BTreeSet::new();
    let mut findings = Vec::new();
    if listed.is_empty() {
        findings.push((1, format!("{LIST} lists no symbols")));
    }
    for row in rows {
        if row.symbols.is_empty() {
            findings.push((row.line, "name the symbols of the row in backticks".to_owned()));
        }
        for symbol in &row.symbols {
            if !listed.contains(symbol) {
                findings.push((row.line, format!("`{symbol}` is not in {LIST}")));
            } else if !answered.insert(*symbol) {
                findings.push((row.line, format!("`{symbol}` already has a row")));
            }
        }
    }
    let missing = listed.difference(&answered);
    findings.extend(missing.map(|symbol| (1, format!("`{symbol}` has no row"))));
    findings
}

fn wrong(row: &Row<'_>) -> Option<String> {
    match row.state {
        state if !STATES.contains(&state) => {
            Some(format!("`{state}` is not a state: use {}", STATES.join(", ")))
        }
        NOT_YET if row.part().is_none() => {
            Some("name the part that the row waits for, and a colon".to_owned())
        }
        _ => {
            row.answer.is_empty().then(|| "name the counterpart, or the reason why there is none".to_owned())
        }
    }
}

/// Compares the counts at the top of the page: symbols in each state, and those that wait for each part.
fn counts(rows: &[Row<'_>], page: &str) -> Vec<(usize, String)> {
    let mut counted: BTreeMap<_, _> = STATES.map(|state| (state.to_owned(), 0)).into();
    for row in rows {
        *counted.entry(row.state.to_owned()).or_default() += row.symbols.len();
        if let Some(part) = row.part().filter(|_| row.state == NOT_YET) {
            *counted.entry(format!("{NOT_YET}: {part}")).or_default() += row.symbols.len();
        }
    }
    let mut findings = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let Some([what, number]) = cells::<2>(line) else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        let actual = counted.remove(what).unwrap_or_default();
        if actual != number {
            findings.push((index + 1, format!("the count of `{what}` is {actual}, not {number}")));
        }
    }
    let missing = counted.into_iter().filter(|(_, number)| *number > 0);
    findings.extend(missing.map(|(what, number)| (1, format!("the counts lack `| {what} | {number} |`"))));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str =
        "# Names.\nfunc\tclientv3.New\nmethod\tclientv3.KV.Put\nmethod\tclientv3.Watcher.Close\n";
    const ROWS: [&str; 3] = [
        "| `clientv3.New` | deliberately none | a reason |",
        "| `clientv3.KV.Put` | counterpart | `etcd_errors::Code::Empty` |",
        "| `clientv3.Watcher.Close` | not yet | watch: `etcd_errors::Watch::cancel` |",
    ];
    const COUNTS: &str =
        "| counterpart | 1 |\n| deliberately none | 1 |\n| not yet | 1 |\n| not yet: watch | 1 |\n";

    fn findings(counts: &str, rows: &[&str]) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let page =
            format!("# Parity\n\n{counts}\n| Go | State | Answer |\n|---|---|---|\n{}\n", rows.join("\n"));
        let files = [file(PAGE, &page), file(LIST, SYMBOLS)];
        check(&files).into_iter().map(|finding| finding.what).collect()
    }

    /// Returns the findings after the row at `index` is replaced, except for missing counts.
    fn with_row(index: usize, row: &str) -> String {
        let mut rows = ROWS;
        rows[index] = row;
        let found = findings("", &rows).into_iter().filter(|what| !what.starts_with("the counts lack"));
        found.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_complete_page_has_no_findings() {
        assert_eq!(findings(COUNTS, &ROWS), [""; 0]);
        assert_eq!(check(&[])[0].what, "ci/parity/symbols.txt lists no symbols");
    }

    #[test]
    fn every_symbol_has_one_row() {
        assert_eq!(with_row(1, ""), "`clientv3.KV.Put` has no row");
        let twice = with_row(1, "| `clientv3.KV.Put`, `clientv3.New` | counterpart | a |");
        assert_eq!(twice, "`clientv3.New` already has a row");
        let unknown = with_row(1, "| `clientv3.KV.Put`, `clientv3.KV.Pat` | counterpart | a |");
        assert_eq!(unknown, "`clientv3.KV.Pat` is not in ci/parity/symbols.txt");
        let unquoted = with_row(1, "| clientv3.KV.Put | counterpart | a |");
        assert!(unquoted.contains("name the symbols of the row in backticks"), "{unquoted}");
    }

    #[test]
    fn a_row_has_a_known_state_and_an_answer() {
        assert!(with_row(1, "| `clientv3.KV.Put` | maybe | a |").starts_with("`maybe` is not a state"));
        assert!(with_row(1, "| `clientv3.KV.Put` | counterpart | |").starts_with("name the counterpart"));
        let waits = with_row(2, "| `clientv3.Watcher.Close` | not yet | `etcd_errors::Watch` |");
        assert!(waits.starts_with("name the part"), "{waits}");
    }

    #[test]
    fn the_counts_are_checked() {
        let wrong = findings(&COUNTS.replace("counterpart | 1", "counterpart | 2"), &ROWS);
        assert_eq!(wrong, ["the count of `counterpart` is 1, not 2"]);
        let lacking = findings(&COUNTS.replace("| not yet: watch | 1 |\n", ""), &ROWS);
        assert_eq!(lacking, ["the counts lack `| not yet: watch | 1 |`"]);
        let stale = findings(&format!("{COUNTS}| not yet: leases | 3 |\n"), &ROWS);
        assert_eq!(stale, ["the count of `not yet: leases` is 0, not 3"]);
    }
}
