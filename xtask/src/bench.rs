//! `cargo xtask bench`: builds the benchmarks for release and runs the client and its peers in one process.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use etcd_testkit::Cluster;

use crate::workspace;

/// The arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Measure the CPU time of one get with this client, with tonic's Channel, and with hand-written gRPC on h2.
    Unary(Unary),
}

#[derive(Debug, clap::Args)]
struct Unary {
    /// Fail if the median ratio to tonic's Channel with 128 gets in flight is above this limit.
    #[arg(long, default_value_t = 0.65)]
    limit: f64,
    /// Number of measured rounds, after one round to warm up.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// Measure against a real etcd as well. The limit does not apply to it.
    #[arg(long)]
    etcd: bool,
    /// Count instructions as well. This needs valgrind.
    #[arg(long)]
    instructions: bool,
}

/// Builds the benchmarks and runs the one that `args` names.
///
/// # Errors
///
/// Returns an error if a program cannot be built or started, or if a ratio is above its limit.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let What::Unary(unary) = args.what;
    let program = build()?;
    if !unary.etcd {
        return measure(&program, &unary, None);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(with_etcd(&program, &unary))
}

/// Builds the benchmarks into a separate folder, because their dependencies differ from those of the workspace.
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
