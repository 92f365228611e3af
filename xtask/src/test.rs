//! `cargo xtask test`: obtains etcd and runs the tests of the workspace on it.

use std::{env, num::NonZeroUsize, thread};

use anyhow::Result;
use etcd_testkit::{Line, StderrProgress};

use crate::{
    steps::{self, Show, Step},
    workspace,
};

/// The suites that depend on the version of the server.
const CONFORMANCE: [&str; 8] =
    ["--package", "etcd-client-core", "--test", "it", "--package", "etcd-testing", "--test", "differential"];

/// The variable with the number of tests that the test harness runs at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// The arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The etcd line to test on, such as 3.5, or `all` supported lines. By default the newest.
    #[arg(long, value_name = "LINE|all")]
    etcd: Option<String>,
    /// Run only the tests whose name contains one of these texts.
    filter: Vec<String>,
}

/// Runs the tests that `args` selects.
///
/// # Errors
///
/// Returns an error if the line is unknown, if its etcd cannot be obtained, or if a test fails. The error names the
/// first failure.
pub(crate) fn run(args: Args) -> Result<()> {
    let lines = match args.etcd.as_deref() {
        None => vec![Line::NEWEST],
        Some("all") => newest_first(),
        Some(line) => vec![line.parse()?],
    };
    let show = if args.filter.is_empty() { Show::Results } else { Show::Tests };
    steps::run("test", lines.into_iter().flat_map(|line| steps(line, &args.filter)).collect(), show)
}

/// Returns the steps for all lines, starting with the newest.
pub(crate) fn all_lines() -> Vec<Step> {
    newest_first().into_iter().flat_map(|line| steps(line, &[])).collect()
}

fn newest_first() -> Vec<Line> {
    Line::ALL.into_iter().rev().collect()
}

/// Returns the number of tests that run at once.
///
/// Most tests wait for a member, for a lease or for a timeout. On two cores, a run of the conformance suite took 215 s
/// of CPU in 400 s with one test for each core.
fn threads() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Returns the steps that obtain etcd and test on it: all tests on the newest line, the conformance suites on the
/// others.
fn steps(line: Line, filter: &[String]) -> Vec<Step> {
    let obtain = Step::call(format!("obtain etcd {line}"), move || {
        let binaries = etcd_testkit::obtain(Some(line), &mut StderrProgress::new())?;
        Ok(format!("        etcd {} ({})", binaries.version, binaries.source))
    });
    let mut command = workspace::cargo(["test", "--all-features", "--locked", "--no-fail-fast"]);
    if line == Line::NEWEST {
        command.arg("--workspace");
    } else {
        command.args(CONFORMANCE);
    }
    if !filter.is_empty() {
        command.arg("--").args(filter);
    }
    command.env("ETCD_LINE", line.to_string()).env("ETCD_REQUIRED", "1");
    if env::var_os(THREADS).is_none() {
        command.env(THREADS, threads().to_string());
    }
    vec![obtain, Step::run(format!("tests on etcd {line}"), command)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Work;

    fn arguments(line: Line, filter: &[String]) -> String {
        let Some(Work::Run(command)) = steps(line, filter).pop().map(|step| step.work) else {
            panic!("the last step runs cargo")
        };
        let line = command.get_envs().find(|(name, _)| *name == "ETCD_LINE").and_then(|(_, value)| value);
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        format!("{} {}", line.unwrap_or_default().display(), arguments.join(" "))
    }

    #[test]
    fn the_newest_line_runs_everything_and_the_others_the_conformance_suites() {
        let newest = arguments(Line::NEWEST, &[]);
        assert_eq!(newest, "3.7 test --all-features --locked --no-fail-fast --workspace");
        let suites = "--package etcd-client-core --test it --package etcd-testing --test differential";
        let older = newest.replace("3.7", "3.4").replace("--workspace", suites);
        assert_eq!(arguments(Line::V3_4, &[]), older);
        assert!(arguments(Line::NEWEST, &["kv".to_owned()]).ends_with(" -- kv"));
    }

    #[test]
    fn every_line_is_tested_newest_first() {
        let names: Vec<_> = all_lines().into_iter().map(|step| step.name).collect();
        assert_eq!(names[..2], ["obtain etcd 3.7", "tests on etcd 3.7"]);
        assert_eq!(names.len(), 2 * Line::ALL.len());
    }
}
