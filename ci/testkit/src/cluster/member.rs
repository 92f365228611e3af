//! One etcd process: signals, restart, readiness, log.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use nix::sys::signal::Signal;
use tokio::time::{sleep, timeout};

use super::{
    etcdctl::Access,
    flags::{self, Listen},
    health,
    links::Links,
    process::Pid,
    reaper::Reaper,
};
use crate::Binaries;

/// The interval of polls of a condition.
const POLL: Duration = Duration::from_millis(20);

/// The interval of polls for the effect of a signal, which takes no longer than a time slice of a thread.
const SIGNAL_POLL: Duration = Duration::from_millis(1);

/// etcd lets requests in flight end for up to 7 s after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// The time limit for a restarted member to become healthy.
pub(super) const START_PATIENCE: Duration = Duration::from_secs(90);

const TAIL_LINES: usize = 40;

/// A member of a [`Cluster`](crate::Cluster).
#[derive(Debug)]
pub struct Member {
    pub(super) index: usize,
    pub(super) listen: Listen,
    pub(super) dir: PathBuf,
    pub(super) etcd: Mutex<PathBuf>,
    pub(super) args: Vec<String>,
    pub(super) endpoint: String,
    pub(super) tcp_endpoint: String,
    pub(super) access: Access,
    pub(super) reaper: Arc<Reaper>,
    pub(super) links: Arc<Links>,
    pub(super) pid: Mutex<Option<Pid>>,
}

impl Member {
    /// Its name within the cluster: `m0`, `m1`, ...
    #[must_use]
    pub fn name(&self) -> &str {
        &self.listen.name
    }

    /// Returns the endpoint for clients: a unix socket if the cluster was built with one, or else
    /// [`Member::tcp_endpoint`].
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// `http://127.0.0.1:PORT`, `https` with TLS.
    #[must_use]
    pub fn tcp_endpoint(&self) -> &str {
        &self.tcp_endpoint
    }

    /// Returns the endpoint of metrics and `/health`, over plain HTTP.
    #[must_use]
    pub fn metrics_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.listen.metrics)
    }

    /// Its process id, also after it ended; `None` before the first start.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.current().map(Pid::get)
    }

    /// Returns `true` if the process runs or is paused.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.current().is_some_and(|pid| pid.is_running(self.reaper.pid()))
    }

    /// Freezes the process (SIGSTOP) and waits until all its threads have stopped. Its connections stay open.
    ///
    /// # Errors
    ///
    /// Returns an error if the process does not run, or if it has not stopped after 15 s.
    pub async fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGSTOP)?;
        let stopped = async {
            while !self.current().is_some_and(Pid::is_stopped) {
                sleep(SIGNAL_POLL).await;
            }
        };
        timeout(STOP_PATIENCE, stopped).await.with_context(|| format!("{} still runs", self.name()))
    }

    /// Thaws a paused process (SIGCONT).
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Kills the process (SIGKILL), paused or not.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGKILL)
    }

    /// Asks the process to end (SIGTERM).
    ///
    /// # Errors
    /// When it does not run.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Waits until the process has ended.
    ///
    /// # Errors
    /// When it still runs after 15 s.
    pub async fn wait_exit(&self) -> anyhow::Result<()> {
        let ended = async {
            while self.is_running() {
                sleep(SIGNAL_POLL).await;
            }
        };
        timeout(STOP_PATIENCE, ended)
            .await
            .with_context(|| format!("{} still runs{}", self.name(), self.tail()))
    }

    /// Ends the process in an orderly way; kills it when that takes more than 15 s.
    ///
    /// # Errors
    /// When not even killing helps.
    pub async fn stop(&self) -> anyhow::Result<()> {
        // A signal fails only where the process has ended, which is what is wanted.
        let _ = self.resume().and_then(|()| self.terminate());
        if self.wait_exit().await.is_ok() {
            return Ok(());
        }
        let _ = self.kill();
        self.wait_exit().await
    }

    /// Kills the process if it runs, starts it again with the same data and ports, and waits until it is healthy.
    ///
    /// # Errors
    /// When it does not become healthy in 90 s, as when the cluster has no quorum: [`Member::launch`] does not wait.
    pub async fn restart(&self) -> anyhow::Result<()> {
        self.launch().await?;
        self.wait_healthy(START_PATIENCE).await
    }

    /// Like [`Member::restart`], but does not wait until it is healthy.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub async fn launch(&self) -> anyhow::Result<()> {
        // Fails only where the process has ended, which is what is wanted.
        let _ = self.kill();
        self.wait_exit().await?;
        self.spawn()
    }

    /// Stops the member in order and starts it on the same data with another version of etcd, which it keeps from then
    /// on.
    ///
    /// # Errors
    /// When it does not become healthy in 90 s.
    pub async fn upgrade(&self, binaries: &Binaries) -> anyhow::Result<()> {
        self.stop().await?;
        self.etcd.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&binaries.etcd);
        self.restart().await
    }

    /// Waits until the member itself says that it is healthy, for which it must know a leader and reach a quorum.
    ///
    /// # Errors
    /// When it ended, or does not say so in time; the error holds the end of its log.
    pub async fn wait_healthy(&self, patience: Duration) -> anyhow::Result<()> {
        let healthy = async {
            while !health::is_healthy(self.listen.metrics).await {
                self.check_running()?;
                sleep(POLL).await;
            }
            // A stranger may have taken the port and be healthy itself.
            self.check_running()
        };
        let outcome = timeout(patience, healthy).await;
        outcome
            .with_context(|| format!("{} is not healthy after {patience:?}{}", self.name(), self.tail()))?
    }

    /// Runs etcdctl against this member alone and returns its stdout.
    ///
    /// # Errors
    /// When it fails; the error holds its stderr.
    pub async fn etcdctl<I>(&self, args: I) -> anyhow::Result<String>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.access.run(args).await
    }

    /// Returns the path of the log: the output of etcd in all its runs.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.dir.join("etcd.log")
    }

    /// The last lines of its log for error messages, without what it logs about being asked for its health.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.contains("etcdhttp/health.go")).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// The directory that holds its data and log; it vanishes with the cluster.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn spawn(&self) -> anyhow::Result<()> {
        self.spawn_with(&[])
    }

    /// The same with further arguments, which win over those that it has.
    pub(super) fn spawn_with(&self, more: &[String]) -> anyhow::Result<()> {
        let args: Vec<String> = self.args.iter().chain(more).cloned().collect();
        let etcd = self.etcd.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let script = flags::script(&etcd, &self.dir, &args);
        fs::write(self.dir.join("run"), script)
            .with_context(|| format!("writing the start of {}", self.name()))?;
        // etcd 3.4 does not listen where a killed process has left its socket. Fails where there is none.
        let _ = fs::remove_file(self.dir.join(flags::SOCKET));
        let pid = self.reaper.spawn(self.name()).with_context(|| format!("starting {}", self.name()))?;
        self.links.set_pid(self.index, pid);
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid);
        Ok(())
    }

    /// Returns `true` if the member ended because another process had one of its ports.
    pub(super) fn lost_a_port(&self) -> bool {
        !self.is_running() && self.log_tail().contains("address already in use")
    }

    fn current(&self) -> Option<Pid> {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let Some(pid) = self.current() else { bail!("{} was not started", self.name()) };
        pid.signal(self.reaper.pid(), signal).with_context(|| format!("signalling {}", self.name()))
    }

    fn check_running(&self) -> anyhow::Result<()> {
        if !self.is_running() {
            bail!("{} has ended{}", self.name(), self.tail());
        }
        Ok(())
    }

    fn tail(&self) -> String {
        format!("; the end of its log:\n{}", self.log_tail())
    }
}
