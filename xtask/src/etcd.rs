//! `cargo xtask etcd`: obtains etcd and etcdctl, and runs temporary clusters.

use std::io::{Write as _, stdout};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use etcd_testkit::{Cluster, Line, StderrProgress, obtain};
use tokio::signal::unix::{SignalKind, signal};

/// Obtain etcd and etcdctl, or run a temporary cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find or build the binaries and print where they come from.
    Fetch(Fetch),
    /// Run a cluster until Ctrl-C, on port 2379 if that is free, and remove its files at the end.
    Run(Run),
}

#[derive(Debug, clap::Args)]
struct Fetch {
    /// 3.4, 3.5, 3.6, 3.7 or all. By default the installed etcd, or else the newest line.
    #[arg(long, value_name = "LINE")]
    etcd: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Number of members.
    #[arg(long, default_value_t = 1)]
    members: usize,
    /// 3.4, 3.5, 3.6 or 3.7. By default the installed etcd, or else the newest line.
    #[arg(long, value_name = "LINE")]
    etcd: Option<Line>,
    /// Serve clients over TLS.
    #[arg(long)]
    tls: bool,
    /// Enable authentication, with the user `root` and the password `root`.
    #[arg(long)]
    auth: bool,
}

/// Runs the task.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Fetch(args) => fetch(&args),
        Command::Run(args) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.context("starting a runtime")?.block_on(serve(&args))
        }
    }
}

fn fetch(args: &Fetch) -> anyhow::Result<()> {
    let lines = match args.etcd.as_deref() {
        None => vec![None],
        Some("all") => Line::ALL.map(Some).to_vec(),
        Some(line) => vec![Some(line.parse()?)],
    };
    let mut missing = 0;
    for line in lines {
        match obtain(line, &mut StderrProgress::new()) {
            Ok(found) => {
                writeln!(stdout(), "etcd {}: {}", found.version, found.source)?;
                writeln!(stdout(), "  {}\n  {}", found.etcd.display(), found.etcdctl.display())?;
            }
            Err(error) => {
                missing += 1;
                eprintln!("{error:#}");
            }
        }
    }
    if missing > 0 {
        bail!("{missing} lines of etcd could not be obtained");
    }
    Ok(())
}

/// The default client port of etcd, which the first program of the README uses.
const CLIENT_PORT: u16 = 2379;

async fn serve(args: &Run) -> anyhow::Result<()> {
    let mut builder = Cluster::builder().members(args.members).client_port(CLIENT_PORT);
    if let Some(line) = args.etcd {
        builder = builder.line(line);
    }
    if args.tls {
        builder = builder.tls();
    }
    if args.auth {
        builder = builder.auth("root");
    }
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let cluster = tokio::select! {
        cluster = builder.start() => cluster?,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    };
    describe(&cluster)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    writeln!(stdout(), "\nstopping")?;
    cluster.stop().await
}

fn describe(cluster: &Cluster) -> anyhow::Result<()> {
    let mut out = stdout();
    writeln!(out, "etcd {} from {}", cluster.version(), cluster.binaries().source)?;
    for member in cluster.members() {
        writeln!(out, "  {}  {}  log {}", member.name(), member.endpoint(), member.log().display())?;
    }
    if let Some(certificates) = cluster.certificates() {
        writeln!(out, "CA certificate  {}", certificates.ca.display())?;
    }
    writeln!(out, "try\n  {} put hello world", cluster.etcdctl_command())?;
    writeln!(out, "Ctrl-C stops the cluster and removes its files")?;
    Ok(())
}
