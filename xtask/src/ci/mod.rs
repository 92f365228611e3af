//! `cargo xtask ci`: all checks that must pass before a change is merged.
//!
//! Quick checks that fail often come first. All steps share one target directory. A step that fails does not stop the
//! others, so that one run reports every problem.

use std::process::Command;

use anyhow::Result;

use crate::{
    codegen,
    steps::{self, Show, Step},
    test, tidy,
    workspace::{cargo, root, target},
};

pub(crate) mod minimal;
mod package;
mod trees;

/// The manifest of the benchmarks, which are a separate workspace.
const BENCH: &str = "ci/bench/Cargo.toml";

/// Runs every check.
///
/// # Errors
///
/// Returns an error that names the first check that failed.
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
        docs("docs", &["--workspace", "--all-features"]),
        docs("docs with private items", &["--workspace", "--all-features", "--document-private-items"]),
        docs("docs, default features", &["--package", "etcd-client-core"]),
        docs("docs, no features", &["--package", "etcd-client-core", "--no-default-features"]),
    ];
    plan.extend(test::all_lines());
    plan.push(Step::call("dependency trees", trees::check));
    plan.push(Step::call("minimal versions", minimal::check));
    plan.extend(package::steps());
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

fn docs(name: &str, scope: &[&str]) -> Step {
    let mut command = cargo(["doc", "--no-deps", "--locked", "--keep-going"]);
    command.args(scope).env("RUSTDOCFLAGS", "-D warnings");
    Step::run(name, command)
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
    fn quick_checks_come_first_and_every_step_is_locked() {
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
