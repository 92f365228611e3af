//! `cargo xtask demo`: builds and runs the demo in `ci/demo`.

use std::os::unix::process::CommandExt as _;

use anyhow::Context as _;

use crate::workspace;

/// The arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The arguments of the demo.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    demo: Vec<String>,
}

/// Replaces this process with the demo, so that the demo receives the signals and cleans up.
///
/// # Errors
///
/// Returns an error if cargo cannot be started.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut command = workspace::cargo(["run", "--locked", "--package", "etcd-demo", "--"]);
    Err(command.args(&args.demo).exec()).context("starting cargo")
}
