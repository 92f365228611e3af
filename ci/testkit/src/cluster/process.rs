//! A process that the reaper started: is it alive, and signals that never reach a stranger with a reused number.

use std::{
    fs,
    process::{Child, Command},
    str::FromStr,
};

use anyhow::{Context as _, bail};
use nix::sys::signal::{self, Signal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pid(nix::unistd::Pid);

impl Pid {
    pub(super) fn of(child: &Child) -> anyhow::Result<Self> {
        let id = i32::try_from(child.id()).context("reading a process id")?;
        Ok(Self(nix::unistd::Pid::from_raw(id)))
    }

    pub(super) fn get(self) -> u32 {
        self.0.as_raw().unsigned_abs()
    }

    /// Returns `true` for a child of `parent` that has not ended.
    pub(super) fn is_running(self, parent: Self) -> bool {
        status(self).is_some_and(|status| status.parent == parent.get() && status.is_alive())
    }

    /// Returns `true` if all threads have stopped, which takes a while after SIGSTOP.
    pub(super) fn is_stopped(self) -> bool {
        match fs::read_dir(format!("/proc/{}/task", self.get())) {
            Ok(tasks) => tasks.flatten().all(|task| {
                let stat = fs::read_to_string(task.path().join("stat"));
                // A thread that is gone does not run.
                stat.ok().and_then(|stat| from_stat(&stat)).is_none_or(|status| status.is_stopped())
            }),
            Err(_) if cfg!(target_os = "linux") => false,
            Err(_) => from_ps(self).is_some_and(|status| status.is_stopped()),
        }
    }

    /// Sends a signal, if it is a running child of `parent`.
    pub(super) fn signal(self, parent: Self, signal: Signal) -> anyhow::Result<()> {
        if !self.is_running(parent) {
            bail!("the process {} is not running", self.get());
        }
        signal::kill(self.0, signal).with_context(|| format!("sending {signal} to {}", self.get()))
    }
}

impl FromStr for Pid {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let id: i32 = text.parse()?;
        // Zero and negative numbers address process groups.
        if id <= 0 {
            bail!("{id} is not a process id");
        }
        Ok(Self(nix::unistd::Pid::from_raw(id)))
    }
}

struct Status {
    state: char,
    parent: u32,
    threads: u32,
}

impl Status {
    /// A zombie has ended, but not before its last thread: until then the ports stay bound.
    fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X') || self.threads > 1
    }

    fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 'Z' | 'X')
    }
}

fn status(pid: Pid) -> Option<Status> {
    match fs::read_to_string(format!("/proc/{}/stat", pid.get())) {
        Ok(stat) => from_stat(&stat),
        Err(_) if cfg!(target_os = "linux") => None,
        Err(_) => from_ps(pid),
    }
}

/// The name, in parentheses, may itself hold spaces and parentheses; the state is the first field behind it.
fn from_stat(stat: &str) -> Option<Status> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse().ok();
    Some(Status { state: fields[0].chars().next()?, parent: number(1)?, threads: number(17)? })
}

fn from_ps(pid: Pid) -> Option<Status> {
    let output =
        Command::new("ps").args(["-o", "stat=,ppid=", "-p", &pid.get().to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut fields = text.split_whitespace();
    Some(Status { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()?, threads: 1 })
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn a_name_cannot_fool_the_parser() {
        let status = from_stat("7 (a) Z 1 () S 42 7 7 0 -1 4194304 0 0 0 0 1 2 0 0 20 0 9 0 5").unwrap();
        assert_eq!((status.state, status.parent, status.threads), ('S', 42, 9));
        assert!(from_stat("7 (a) S 42").is_none());
    }

    #[test]
    fn a_process_ends_with_its_last_thread() {
        let alive = |state, threads| Status { state, parent: 1, threads }.is_alive();
        assert!(alive('T', 1));
        assert!(alive('Z', 2));
        assert!(!alive('Z', 1));
    }

    #[test]
    fn a_stranger_gets_no_signal() {
        let me: Pid = process::id().to_string().parse().unwrap();
        assert!(me.signal(me, Signal::SIGKILL).is_err(), "this process is not its own parent");
    }

    #[test]
    fn group_numbers_are_rejected() {
        assert!("0".parse::<Pid>().is_err());
        assert!("-1".parse::<Pid>().is_err());
    }
}
