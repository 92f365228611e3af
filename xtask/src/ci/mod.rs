//! `cargo xtask ci`: everything that must hold before a change goes in, in one command.
//!
//! The order puts what is quick and fails often first. All steps share one target directory and run every check to
//! the end, so that one run tells everything that is wrong.

use std::process::Command;

use anyhow::Result;

use crate::steps::{self, Show, Step};
use crate::workspace::{cargo, root, target};
use crate::{codegen, test, tidy};

pub(crate) mod minimal;
mod trees;

/// The packages that are never published.
const UNPUBLISHED: [&str; 2] = ["xtask", "etcd-testkit"];
/// The benchmarks' own workspace.
const BENCH: &str = "ci/bench/Cargo.toml";

/// Runs every check.
///
/// # Errors
///
/// When one fails; the error names the first.
pub(crate) fn run() -> Result<()> {
    steps::run("ci", plan(), Show::Results)
}

fn plan() -> Vec<Step> {
    let mut plan = vec![
        Step::run("fmt", cargo(["fmt", "--all", "--check"])),
        Step::call("tidy", tidy::report),
        Step::call("codegen --check", || codegen::run(true).map(|()| String::new())),
        clippy("default features", None),
        clippy("no features", Some("--no-default-features")),
        clippy("all features", Some("--all-features")),
        docs("docs", None),
        docs("docs with private items", Some("--document-private-items")),
    ];
    plan.extend(test::all_lines());
    plan.push(Step::call("dependency trees", trees::check));
    plan.push(Step::call("minimal versions", minimal::check));
    plan.push(Step::run("package", package()));
    if root().join(BENCH).exists() {
        plan.push(Step::run("benchmarks compile", bench()));
    }
    plan
}

fn clippy(name: &str, features: Option<&str>) -> Step {
    let mut command = cargo(["clippy", "--workspace", "--all-targets", "--locked", "--keep-going"]);
    command.args(features).args(["--", "-D", "warnings"]);
    Step::run(format!("clippy, {name}"), command)
}

fn docs(name: &str, items: Option<&str>) -> Step {
    let mut command =
        cargo(["doc", "--workspace", "--no-deps", "--all-features", "--locked", "--keep-going"]);
    command.args(items).env("RUSTDOCFLAGS", "-D warnings");
    Step::run(name, command)
}

/// Packs the published crates and builds each from its package, the siblings' packages standing in for a registry.
fn package() -> Command {
    let mut command = cargo(["package", "--workspace", "--locked", "--allow-dirty"]);
    command.args(UNPUBLISHED.iter().flat_map(|name| ["--exclude", *name]));
    command
}

fn bench() -> Command {
    let mut command = cargo(["check", "--manifest-path", BENCH, "--all-targets", "--locked", "--target-dir"]);
    command.arg(target());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_checks_come_first_and_nothing_runs_unlocked() {
        let plan = plan();
        let position =
            |name: &str| plan.iter().position(|step| step.name == name).expect("the step is planned");
        let order = [
            "fmt",
            "tidy",
            "codegen --check",
            "clippy, all features",
            "docs",
            "tests on etcd 3.7",
            "package",
        ];
        assert!(order.map(position).is_sorted());
        for step in plan {
            if let steps::Work::Run(command) = step.work {
                let locked = command.get_args().any(|argument| argument == "--locked");
                assert!(locked || step.name == "fmt", "{}", step.name);
            }
        }
    }
}
