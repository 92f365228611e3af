//! A process that the reaper started: is it alive, and signals that never reach a stranger with a reused number.

use std::{fs, process::Child, process::Command, str::FromStr};

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

    /// Whether it is a child of `parent` that has not ended; a zombie has.
    pub(super) fn is_running(self, parent: Self) -> bool {
        status(self).is_some_and(|status| status.parent == parent.get() && !matches!(status.state, 'Z' | 'X'))
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
}

fn status(pid: Pid) -> Option<Status> {
    match fs::read_to_string(format!("/proc/{}/stat", pid.get())) {
        Ok(stat) => from_stat(&stat),
        Err(_) if cfg!(target_os = "linux") => None,
        Err(_) => from_ps(pid),
    }
}

/// The name, in parentheses, may itself hold spaces and parentheses.
fn from_stat(stat: &str) -> Option<Status> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some(Status { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}

fn from_ps(pid: Pid) -> Option<Status> {
    let output =
        Command::new("ps").args(["-o", "stat=,ppid=", "-p", &pid.get().to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut fields = text.split_whitespace();
    Some(Status { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn a_name_cannot_fool_the_parser() {
        let status = from_stat("7 (a) Z 1 () S 42 7 7 0").unwrap();
        assert_eq!((status.state, status.parent), ('S', 42));
    }

    #[test]
    fn a_stranger_gets_no_signal() {
        let me: Pid = process::id().to_string().parse().unwrap();
        assert!(me.signal(me, Signal::SIGKILL).is_err(), "this process is not its own parent");
    }

    #[test]
    fn group_numbers_are_refused() {
        assert!("0".parse::<Pid>().is_err());
        assert!("-1".parse::<Pid>().is_err());
    }
}
