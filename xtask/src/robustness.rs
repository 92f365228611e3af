//! `cargo xtask robustness`: runs the client under faults and checks recorded histories.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use etcd_testkit::{
    Line,
    check::{self, Limits},
    history::History,
};

use crate::workspace;

/// The arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run the client on three members under faults and check the recorded history.
    Run(Run),
    /// Check a recorded history again.
    Check {
        /// The file of the history, whose path a run prints.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Duration of the faults in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seed of the faults and of the load. By default a new one.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of runs, each with the next seed.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The etcd line to run on, such as 3.5. By default the newest.
    #[arg(long, value_name = "LINE")]
    etcd: Option<String>,
    /// Run only the scenarios whose name contains one of these texts.
    filter: Vec<String>,
}

/// Runs the task.
///
/// # Errors
///
/// Returns an error if a history cannot be read or violates a guarantee.
pub(crate) fn run(args: Args) -> Result<()> {
    match args.what {
        What::Run(run) => faults(&run),
        What::Check { file } => judge(&file),
    }
}

/// The number of watches with the longest delays that are shown.
const LATEST: usize = 12;

/// Runs the scenarios with each seed. Every history is kept, and a seed that fails does not stop the others.
fn faults(run: &Run) -> Result<()> {
    let line: Line = run.etcd.as_deref().map_or(Ok(Line::NEWEST), str::parse)?;
    let mut failed = Vec::new();
    for number in 0..run.seeds {
        let seed = run.seed.map(|first| first + number);
        if !suites(run, line, seed).status().context("starting cargo")?.success() {
            failed.push(seed.map_or_else(|| "a seed shown above".to_owned(), |seed| seed.to_string()));
        }
    }
    if !failed.is_empty() {
        bail!("the robustness suite failed with {}", failed.join(", "));
    }
    Ok(())
}

fn suites(run: &Run, line: Line, seed: Option<u64>) -> std::process::Command {
    let mut command = workspace::cargo(["test", "--no-fail-fast", "--test", "robustness"]);
    command.args(["--package", "etcd-client-core", "--package", "etcd-concurrency"]);
    command.args(["--", "--nocapture"]).args(&run.filter);
    command.env("ETCD_LINE", line.to_string()).env("ETCD_REQUIRED", "1");
    command.env("ETCD_ROBUSTNESS_SECONDS", run.seconds.to_string()).env("ETCD_ROBUSTNESS_KEEP", "1");
    if let Some(seed) = seed {
        command.env("ETCD_ROBUSTNESS_SEED", seed.to_string());
    }
    command
}

fn judge(file: &std::path::Path) -> Result<()> {
    let history = History::read(file)?;
    let verdict = check::all(&history, &Limits::default());
    print!("{}", verdict.report(&history));
    for lag in verdict.lags().iter().take(LATEST) {
        println!("watch {} was {:.0} ms late in line {}", lag.watch, lag.nanos.millis(), lag.line);
    }
    if !verdict.is_clean() {
        bail!("{} violates a guarantee", file.display());
    }
    Ok(())
}
