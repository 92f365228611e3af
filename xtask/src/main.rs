//! Dispatches `cargo xtask <task>`. Each task is a module.
#![allow(clippy::print_stdout, reason = "tasks print their results")]
#![allow(clippy::disallowed_methods, reason = "tasks wait for real processes on the real clock")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "client")]
mod bench;
#[cfg(feature = "client")]
mod ci;
mod codegen;
#[cfg(feature = "client")]
mod demo;
#[cfg(feature = "client")]
mod etcd;
#[cfg(feature = "client")]
mod robustness;
#[cfg(feature = "client")]
mod steps;
#[cfg(feature = "client")]
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
    /// Show the client on a cluster of three members and check the results.
    #[cfg(feature = "client")]
    Demo(demo::Args),
    /// Hold a lock as the second process of the demo.
    #[cfg(feature = "client")]
    #[command(hide = true)]
    DemoContender(demo::contender::Args),
    /// Obtain etcd and run all tests on it.
    #[cfg(feature = "client")]
    Test(test::Args),
    /// Measure the client and its peers.
    #[cfg(feature = "client")]
    Bench(bench::Args),
    /// Obtain etcd and etcdctl, or run a temporary cluster.
    #[cfg(feature = "client")]
    Etcd(etcd::Args),
    /// Run the client under faults and check its history, or check a recorded history.
    #[cfg(feature = "client")]
    Robustness(robustness::Args),
    /// Run all checks that must pass before a change is merged.
    #[cfg(feature = "client")]
    Ci,
    /// Write `ci/minimal-versions.lock` with the lowest version of each direct dependency.
    #[cfg(feature = "client")]
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
        #[cfg(feature = "client")]
        Task::Demo(args) => demo::run(args),
        #[cfg(feature = "client")]
        Task::DemoContender(args) => demo::contender::run(args),
        #[cfg(feature = "client")]
        Task::Test(args) => test::run(args),
        #[cfg(feature = "client")]
        Task::Bench(args) => bench::run(args),
        #[cfg(feature = "client")]
        Task::Etcd(args) => etcd::run(args),
        #[cfg(feature = "client")]
        Task::Robustness(args) => robustness::run(args),
        #[cfg(feature = "client")]
        Task::Ci => ci::run(),
        #[cfg(feature = "client")]
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
