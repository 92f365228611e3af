//! `cargo xtask demo`: shows the client on a real etcd and checks the results.
#![allow(clippy::print_stdout, reason = "the demo prints its results")]

mod bar;
mod contender;
mod interruption;
mod sections;
mod show;
mod stage;
mod transcript;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use etcd_testkit::{Binaries, Cluster, Line, StderrProgress, obtain};

use self::{interruption::Interruption, stage::Stage, transcript::Transcript};

/// Show the client on a cluster of three members and check the results.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo", bin_name = "cargo xtask demo")]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    demo: Args,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Hold a lock as the second process of the demo.
    #[command(hide = true)]
    Contender(contender::Args),
}

#[derive(Debug, clap::Args)]
struct Args {
    /// Run on your cluster, such as `http://a:2379,http://b:2379`. The demo writes keys under one prefix and deletes
    /// them at the end. By default it starts three members.
    #[arg(long, value_name = "URL,..", value_delimiter = ',', conflicts_with = "etcd")]
    endpoints: Option<Vec<String>>,
    /// 3.4, 3.5, 3.6 or 3.7. By default the installed etcd, or else the newest line.
    #[arg(long, value_name = "LINE")]
    etcd: Option<Line>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.role {
        Some(Role::Contender(args)) => contender::run(args),
        None => run(cli.demo),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Shows every section, cleans up, and counts the checks.
///
/// # Errors
///
/// Returns an error if etcd cannot be obtained or reached, if a check fails, or if the demo is interrupted.
fn run(args: Args) -> Result<()> {
    // A build may take minutes. Until `play` handles Ctrl-C, the signal ends this process and the build at once.
    let binaries = match &args.endpoints {
        Some(_) => None,
        None => Some(find(args.etcd)?),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(play(args.endpoints, binaries))
}

fn find(line: Option<Line>) -> Result<Binaries> {
    let line = match line {
        Some(line) => Some(line),
        None => Line::from_env()?,
    };
    obtain(line, &mut StderrProgress::new())
}

async fn play(endpoints: Option<Vec<String>>, binaries: Option<Binaries>) -> Result<()> {
    let mut interruption = Interruption::listen()?;
    let mut transcript = Transcript::to_stdout();
    transcript.title("A tour of the etcd client");
    let cluster = match binaries {
        None => None,
        Some(binaries) => Some(tokio::select! {
            cluster = start(binaries, &mut transcript) => cluster?,
            signal = interruption.next() => bail!("interrupted by {signal}; everything is removed"),
        }),
    };
    let mut stage = Stage::set(endpoints, cluster, transcript)?;
    let ended = tokio::select! {
        ended = sections::play(&mut stage) => ended,
        signal = interruption.next() => Err(anyhow::anyhow!("interrupted by {signal}")),
    };
    let remains = stage.remains();
    let left = tokio::select! {
        left = stage.leave() => left,
        signal = interruption.next() => bail!("interrupted again by {signal}: {remains}"),
    };
    if ended.is_err() {
        stage.transcript.stopped_early();
    }
    ended.and(left)?;
    stage.transcript.sum_up()
}

async fn start(binaries: Binaries, transcript: &mut Transcript) -> Result<Cluster> {
    transcript.note(&format!("etcd {}: {}. Starting three members.", binaries.version, binaries.source));
    let started = Cluster::builder().members(3).binaries(binaries).start();
    transcript.during("waiting until all members are healthy", started).await
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
