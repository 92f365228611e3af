//! The second process of the demo's lock section, which acquires the lock, prints a line, and holds the lock until its
//! stdin ends.

use std::{
    io::{copy, sink, stdin},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use etcd_client_core::{Client, Key, Revision};
use etcd_concurrency::{Mutex, Session};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// The time limit for the other process to acquire the lock.
const PATIENCE: Duration = Duration::from_secs(20);

/// The arguments of the second process.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long, value_delimiter = ',')]
    endpoints: Vec<String>,
    #[arg(long)]
    name: String,
    #[arg(long)]
    ttl_seconds: u64,
}

/// Holds the lock until stdin ends, which happens when the process that started this one ends in any way.
///
/// # Errors
///
/// Returns an error if the lock cannot be acquired.
pub(super) fn run(args: Args) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(hold(args))
}

async fn hold(args: Args) -> Result<()> {
    let client = Client::builder(&args.endpoints).build()?;
    let session = Session::builder(&client).ttl(Duration::from_secs(args.ttl_seconds)).await?;
    let guard = Mutex::new(&session, args.name).lock().await?;
    println!("{} {}", guard.fence().get(), String::from_utf8_lossy(guard.key().as_bytes()));
    tokio::task::spawn_blocking(|| copy(&mut stdin(), &mut sink())).await??;
    session.close().await?;
    Ok(())
}

/// A handle to the second process, which is killed on drop.
#[derive(Debug)]
pub(super) struct Contender {
    child: Child,
}

impl Contender {
    pub(super) fn start(endpoints: &[String], name: &str, ttl: Duration) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        command.arg("contender").args(["--endpoints", &endpoints.join(","), "--name", name]);
        command.args(["--ttl-seconds", &ttl.as_secs().to_string()]);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).kill_on_drop(true);
        Ok(Self { child: command.spawn().context("starting a second process")? })
    }

    /// Returns the id of the process while it runs.
    pub(super) fn pid(&self) -> Result<u32> {
        self.child.id().context("the second process has ended")
    }

    /// Waits until the process has the lock. Returns its fencing token and its key.
    pub(super) async fn locked(&mut self) -> Result<(Revision, Key)> {
        let stdout = self.child.stdout.take().context("the output was read before")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.context("the second process hangs")??;
        let line = line.context("the second process ended without the lock")?;
        let (fence, key) = line.split_once(' ').ok_or_else(|| anyhow!("unexpected output {line:?}"))?;
        Ok((Revision::new(fence.parse()?), key.into()))
    }

    /// Kills the process.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("killing the second process")
    }
}
