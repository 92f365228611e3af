//! The child process that owns the etcd processes and the directory of a cluster, and removes both when this process
//! ends.
//!
//! The reaper reads a pipe whose only writing end is in this process. A panic, Ctrl-C or SIGKILL closes the pipe. The
//! reaper then kills its children and removes the directory. It leads its own process group, so that signals of a
//! terminal do not reach it.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};

use super::process::Pid;

const SCRIPT: &str = include_str!("reaper.sh");

#[derive(Debug)]
pub(super) struct Reaper {
    pid: Pid,
    dir: PathBuf,
    io: Mutex<Option<Io>>,
}

#[derive(Debug)]
struct Io {
    child: Child,
    commands: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Reaper {
    /// Creates a directory and the process that will remove it.
    pub(super) fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("etcd-testkit-")
            .tempdir_in(base())
            .context("creating a directory")?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "reaper"]).arg(dir.path()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ETCD")) {
            command.env_remove(name);
        }
        let mut child = command.spawn().context("starting the reaper")?;
        let commands = child.stdin.take().context("the reaper has no stdin")?;
        let replies = BufReader::new(child.stdout.take().context("the reaper has no stdout")?);
        let pid = Pid::of(&child)?;
        Ok(Self { pid, dir: dir.keep(), io: Mutex::new(Some(Io { child, commands, replies })) })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Runs `<dir>/<member>/run`, which must `exec` what it starts.
    pub(super) fn spawn(&self, member: &str) -> anyhow::Result<Pid> {
        let mut guard = self.io();
        let Some(io) = guard.as_mut() else { bail!("the cluster was stopped") };
        writeln!(io.commands, "{member}").context("asking the reaper to start a member")?;
        let mut reply = String::new();
        io.replies.read_line(&mut reply).context("reading the reaper's answer")?;
        reply.trim().parse().with_context(|| format!("the reaper answered {reply:?}"))
    }

    /// Kills all members and removes the directory.
    pub(super) async fn finish(&self, timeout: Duration) -> anyhow::Result<()> {
        let Some(io) = self.io().take() else { return Ok(()) };
        drop(io.commands);
        let mut child = io.child;
        let ended = async {
            while child.try_wait().context("waiting for the reaper")?.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(timeout, ended).await.context("the reaper did not end in time")?
    }

    fn io(&self) -> MutexGuard<'_, Option<Io>> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reaper {
    /// Does not block. The reaper ends independently, and a thread collects its exit status.
    fn drop(&mut self) {
        let Some(mut io) = self.io().take() else { return };
        drop(io.commands);
        thread::spawn(move || io.child.wait());
    }
}

/// Memory where there is some: fsync costs nothing there.
fn base() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    let writable = tempfile::tempfile_in(&shared).is_ok();
    if writable { shared } else { env::temp_dir() }
}
