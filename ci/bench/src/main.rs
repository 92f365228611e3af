//! The client beside its peers, in one run: started by `cargo xtask bench`.

mod instructions;
mod server;
mod side;
mod statistics;
mod unary;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// The client beside its peers.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// CPU time of one get, per side.
    Unary(unary::Args),
    /// Gets of one side and nothing else, for a profiler.
    Count(instructions::CountArgs),
    /// The minimal server; prints its address and ends with its standard input.
    Serve,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    // One thread for every side: a second one would only add noise to what a request costs.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting a runtime")?;
    match command {
        Command::Unary(args) => runtime.block_on(unary::run(&args)),
        Command::Count(args) => runtime.block_on(instructions::count(&args)),
        Command::Serve => runtime.block_on(server::serve()),
    }
}
