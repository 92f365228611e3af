//! `cargo xtask bench`: the client beside its peers, built for speed and run in one process.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use etcd_testkit::Cluster;

use crate::workspace;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// CPU time of one get: this client, tonic's Channel, and hand-written gRPC on h2.
    Unary(Unary),
}

#[derive(Debug, clap::Args)]
struct Unary {
    /// Fail when the median ratio to tonic's Channel with 128 gets in flight is above this.
    #[arg(long, default_value_t = 0.65)]
    limit: f64,
    /// Rounds that count; one more is run before them.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// Measure against a real etcd as well; nothing is judged by it.
    #[arg(long)]
    etcd: bool,
    /// Count instructions as well: needs valgrind.
    #[arg(long)]
    instructions: bool,
}

/// Builds the benchmarks and runs what `args` name.
///
/// # Errors
///
/// When something cannot be built or started, or a ratio is above its limit.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let What::Unary(unary) = args.what;
    let program = build()?;
    if !unary.etcd {
        return measure(&program, &unary, None);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(with_etcd(&program, &unary))
}

/// Builds the benchmarks into a folder of their own: their dependencies are not the workspace's.
fn build() -> anyhow::Result<PathBuf> {
    let target = workspace::target().join("bench");
    let mut command = workspace::cargo(["build", "--release", "--locked"]);
    command.arg("--manifest-path").arg(workspace::root().join("ci/bench/Cargo.toml"));
    command.arg("--target-dir").arg(&target);
    if !command.status().context("starting cargo")?.success() {
        bail!("the benchmarks do not build");
    }
    Ok(target.join("release").join("etcd-bench").with_extension(std::env::consts::EXE_EXTENSION))
}

fn measure(program: &PathBuf, unary: &Unary, etcd: Option<&str>) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(["unary", "--limit", &unary.limit.to_string(), "--rounds", &unary.rounds.to_string()]);
    if let Some(endpoint) = etcd {
        command.args(["--etcd", endpoint]);
    }
    if unary.instructions {
        command.arg("--instructions");
    }
    if !command.status().context("starting the benchmarks")?.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}

async fn with_etcd(program: &PathBuf, unary: &Unary) -> anyhow::Result<()> {
    let cluster = Cluster::builder().start().await?;
    let value = "v".repeat(64);
    cluster.etcdctl(["put", "bench/key", value.as_str()]).await?;
    let endpoints = cluster.endpoints();
    let result =
        tokio::task::block_in_place(|| measure(program, unary, endpoints.first().map(String::as_str)));
    cluster.stop().await?;
    result
}
