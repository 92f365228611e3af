//! The allow-list: exceptions to rules, one a line, as `path rule: reason`.
//!
//! An entry that no longer excuses anything is itself a finding, so that the list can only be as long as needed.

use std::cell::Cell;

use super::Finding;

/// The parsed list.
#[derive(Debug)]
pub(super) struct Allowed {
    entries: Vec<Entry>,
    path: String,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    path: String,
    rule: String,
    used: Cell<bool>,
}

impl Allowed {
    /// Reads the list that stands at `path`; lines that start with `#` are comments.
    pub(super) fn parse(path: &str, text: &str) -> (Self, Vec<Finding>) {
        let mut malformed = Vec::new();
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match entry(index + 1, line) {
                Some(entry) => entries.push(entry),
                None => malformed.push(Finding::new(
                    "allow-list",
                    path,
                    index + 1,
                    "write `path rule: reason`, the reason included",
                )),
            }
        }
        (Self { entries, path: path.to_owned() }, malformed)
    }

    /// Drops what the list excuses and adds what the list excuses in vain.
    pub(super) fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut kept: Vec<_> = findings.into_iter().filter(|finding| !self.excuses(finding)).collect();
        kept.extend(self.entries.iter().filter(|entry| !entry.used.get()).map(|entry| {
            let what = format!("nothing in {} breaks `{}` any more: remove the line", entry.path, entry.rule);
            Finding::new("allow-list", &self.path, entry.line, what)
        }));
        kept
    }

    fn excuses(&self, finding: &Finding) -> bool {
        let entry = self.entries.iter().find(|e| e.path == finding.path && e.rule == finding.rule);
        entry.inspect(|entry| entry.used.set(true)).is_some()
    }
}

fn entry(line: usize, text: &str) -> Option<Entry> {
    let (place, reason) = text.split_once(": ")?;
    let (path, rule) = place.split_once(' ')?;
    let complete = !reason.trim().is_empty();
    complete.then(|| Entry { line, path: path.to_owned(), rule: rule.to_owned(), used: Cell::new(false) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_excuses_its_file_and_rule_only() {
        let (allowed, malformed) = Allowed::parse("list", "# why\n\na.rs length: a table\n");
        assert!(malformed.is_empty());
        let findings = vec![
            Finding::new("length", "a.rs", 1, "long"),
            Finding::new("length", "b.rs", 1, "long"),
            Finding::new("header", "a.rs", 1, "none"),
        ];
        assert_eq!(allowed.apply(findings.clone()), findings[1..]);
    }

    #[test]
    fn an_entry_in_vain_or_without_reason_is_a_finding() {
        let (allowed, malformed) = Allowed::parse("list", "a.rs length: a table\nb.rs length\n");
        assert_eq!(malformed.len(), 1);
        assert_eq!(malformed[0].line, 2);
        assert_eq!(allowed.apply(Vec::new()).len(), 1);
    }
}
