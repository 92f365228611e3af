//! `cargo xtask tidy`: the rules of this repository that no standard tool checks.
//!
//! Each rule is a pure function from file texts to findings. This module reads the workspace, runs the rules and
//! prints the findings. `CONTRIBUTING.md` explains the rules.

use std::fmt;

use anyhow::{Result, bail};

use crate::workspace;

mod order;
mod parity;
mod paths;
mod retry_table;

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    rule: &'static str,
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { rule, path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.path, self.line, self.what, self.rule)
    }
}

/// Checks the whole workspace and prints the result.
///
/// # Errors
///
/// Returns an error if a rule is violated or a file cannot be read.
pub(crate) fn run() -> Result<()> {
    println!("{}", report()?);
    Ok(())
}

/// Returns the text that [`run`] prints. The error lists every finding.
pub(crate) fn report() -> Result<String> {
    let files = workspace::files()?;
    let mut findings = [order::check(&files), parity::check(&files), retry_table::check(&files)].concat();
    findings.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    if findings.is_empty() {
        return Ok(format!("tidy: no findings in {} files", files.len()));
    }
    let lines: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    bail!("{lines}tidy: {} findings in {} files", findings.len(), files.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_place_advice_and_rule() {
        let finding = Finding::new("order", "a/b.rs", 3, "move the item down");
        assert_eq!(finding.to_string(), "a/b.rs:3: move the item down [order]");
    }
}
