//! `cargo xtask tidy`: the rules of the house that neither rustc nor clippy knows.
//!
//! Each rule is a pure function from text to findings with tests that show it bites; this file only reads the
//! workspace, runs the rules and prints. What a rule asks for and why stands in `CONTRIBUTING.md`.

use std::fmt;

use anyhow::{Result, bail};

use crate::workspace::{self, File};

mod allow;
mod api;
mod documents;
mod layers;
mod length;
mod manifest;
mod msrv;
mod parity;
mod paths;
mod retry_table;
mod signatures;
mod source;
mod words;

use allow::Allowed;
use manifest::Manifest;
use source::Source;

/// Where the exceptions are listed, each with its reason.
const ALLOW_LIST: &str = "xtask/tidy-allow.txt";

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// The name by which the allow-list refers to the rule.
    rule: &'static str,
    path: String,
    line: usize,
    what: String,
    /// A warning is printed and fails nothing.
    warning: bool,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { rule, path: path.to_owned(), line, what: what.into(), warning: false }
    }

    fn warning(rule: &'static str, path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { warning: true, ..Self::new(rule, path, line, what) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.warning { "warning: " } else { "" };
        write!(f, "{}:{}: {level}{} [{}]", self.path, self.line, self.what, self.rule)
    }
}

/// Checks the whole workspace and prints what is wrong.
///
/// # Errors
///
/// When a rule is broken and the allow-list does not name it, or a file cannot be read.
pub(crate) fn run() -> Result<()> {
    let report = report()?;
    println!("{report}");
    Ok(())
}

/// What `run` prints; the error holds every finding.
pub(crate) fn report() -> Result<String> {
    let files = workspace::files()?;
    let allowed = files.iter().find(|file| file.path == ALLOW_LIST).map_or("", |file| &file.text);
    let (allowed, malformed) = Allowed::parse(ALLOW_LIST, allowed);
    let mut findings = allowed.apply(check(&files));
    findings.extend(malformed);
    // What fails comes first: the first line is what a summary quotes.
    findings.sort_by_key(|finding| finding.warning);

    let failures = findings.iter().filter(|finding| !finding.warning).count();
    let lines: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    if failures > 0 {
        bail!("{lines}tidy: {failures} findings in {} files", files.len());
    }
    Ok(format!("{lines}tidy: {} files are in order", files.len()))
}

/// Every finding of every rule, sorted by place.
fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own_paths = words::own_paths(workspace::root(), std::env::home_dir().as_deref());
    for file in files {
        findings.extend(words::check_text(file, &own_paths));
    }

    let written = files.iter().filter(|file| file.path.ends_with(".rs") && !file.is_generated());
    let sources: Vec<_> = written.map(Source::new).collect();
    for source in &sources {
        findings.extend(words::check_source(source));
        findings.extend(length::check(source));
        findings.extend(layers::check(source));
    }
    findings.extend(signatures::check(&sources));

    let manifests: Vec<_> =
        files.iter().filter(|file| file.path.ends_with("Cargo.toml")).map(Manifest::parse).collect();
    findings.extend(manifest::check(&manifests));
    findings.extend(msrv::check(&manifests, files));
    findings.extend(documents::check(files, &manifests));
    findings.extend(parity::check(files));
    findings.extend(retry_table::check(files));

    findings.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_prints_place_rule_and_advice() {
        let finding = Finding::new("header", "a/b.rs", 3, "say what the file owns");
        assert_eq!(finding.to_string(), "a/b.rs:3: say what the file owns [header]");
    }
}
