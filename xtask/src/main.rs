//! Dispatches `cargo xtask <task>`; each task is a file of its own.
#![allow(clippy::print_stdout, reason = "what a task prints is what its caller asked for")]
#![allow(clippy::disallowed_methods, reason = "tasks watch real processes on the real clock")]

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

/// The workspace's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Walk through the client on a cluster of three members.
    #[cfg(feature = "client")]
    Demo(demo::Args),
    /// The second process of a section of the demo.
    #[cfg(feature = "client")]
    #[command(hide = true)]
    DemoContender(demo::contender::Args),
    /// Run every test on a real etcd, which is obtained first.
    #[cfg(feature = "client")]
    Test(test::Args),
    /// Measure the client beside its peers.
    #[cfg(feature = "client")]
    Bench(bench::Args),
    /// Obtain etcd and etcdctl, or run a throw-away cluster.
    #[cfg(feature = "client")]
    Etcd(etcd::Args),
    /// Run the client under faults and judge what it saw, or judge a history again.
    #[cfg(feature = "client")]
    Robustness(robustness::Args),
    /// Run everything that must hold before a change goes in.
    #[cfg(feature = "client")]
    Ci,
    /// Write `ci/minimal-versions.lock`, which holds the lowest version of each direct dependency.
    #[cfg(feature = "client")]
    MinimalVersions,
    /// Check the rules of the house that neither rustc nor clippy knows.
    Tidy,
    /// Write the generated files anew.
    Codegen {
        /// Compare only, and fail when a file would change.
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
                eprintln!("  because: {cause}");
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
