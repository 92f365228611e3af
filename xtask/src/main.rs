//! Dispatches `cargo xtask <task>`. Each task is a module.
#![allow(clippy::print_stdout, reason = "tasks print their results")]
#![allow(clippy::disallowed_methods, reason = "tasks wait for real processes on the real clock")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "testkit")]
mod bench;
#[cfg(feature = "testkit")]
mod ci;
mod codegen;
#[cfg(feature = "testkit")]
mod demo;
#[cfg(feature = "testkit")]
mod etcd;
#[cfg(feature = "testkit")]
mod robustness;
#[cfg(feature = "testkit")]
mod steps;
#[cfg(feature = "testkit")]
mod test;
mod tidy;
mod workspace;

/// Tasks of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Show the client on a cluster of three members and check the results; `--help` lists the options.
    #[cfg(feature = "testkit")]
    #[command(disable_help_flag = true)]
    Demo(demo::Args),
    /// Obtain etcd and run all tests on it.
    #[cfg(feature = "testkit")]
    Test(test::Args),
    /// Measure the client and its peers.
    #[cfg(feature = "testkit")]
    Bench(bench::Args),
    /// Obtain etcd and etcdctl, or run a temporary cluster.
    #[cfg(feature = "testkit")]
    Etcd(etcd::Args),
    /// Run the client under faults and check its history, or check a recorded history.
    #[cfg(feature = "testkit")]
    Robustness(robustness::Args),
    /// Run all checks that must pass before a change is merged.
    #[cfg(feature = "testkit")]
    Ci,
    /// Write `ci/minimal-versions.lock` with the lowest version of each direct dependency.
    #[cfg(feature = "testkit")]
    MinimalVersions,
    /// Check the rules of this repository that no standard tool checks.
    Tidy,
    /// Regenerate the generated files.
    Codegen {
        /// Compare only, and fail if a file would change.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        #[cfg(feature = "testkit")]
        Task::Demo(args) => demo::run(&args),
        #[cfg(feature = "testkit")]
        Task::Test(args) => test::run(args),
        #[cfg(feature = "testkit")]
        Task::Bench(args) => bench::run(args),
        #[cfg(feature = "testkit")]
        Task::Etcd(args) => etcd::run(args),
        #[cfg(feature = "testkit")]
        Task::Robustness(args) => robustness::run(args),
        #[cfg(feature = "testkit")]
        Task::Ci => ci::run(),
        #[cfg(feature = "testkit")]
        Task::MinimalVersions => ci::minimal::write(),
        Task::Tidy => tidy::run(),
        Task::Codegen { check } => codegen::run(check),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
