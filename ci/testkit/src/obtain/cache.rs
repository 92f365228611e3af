//! `target/etcd/<version>/`: binaries that were built or unpacked before. A version is added completely or not at all.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use super::{Binaries, Source, installed};
use crate::{Line, Progress, Version, workspace};

const ORIGIN: &str = "origin";
const INSTEAD_OF: &str = "instead-of";

pub(super) fn dir() -> PathBuf {
    workspace::target().join("etcd")
}

/// The newest cached version that is the pinned one, or that was taken in its place.
pub(super) fn find(line: Line, pin: Option<Version>) -> anyhow::Result<Binaries> {
    let Ok(entries) = fs::read_dir(dir()) else { bail!("nothing there yet") };
    let versions = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<Version>().ok());
    let fitting = versions.filter(|version| version.line() == line && stands_for(*version, pin));
    let version = fitting.max().with_context(|| match pin {
        Some(pin) => format!("no {pin} there yet"),
        None => format!("no {line} there yet"),
    })?;
    let origin = fs::read_to_string(dir().join(version.to_string()).join(ORIGIN)).unwrap_or_default();
    Ok(binaries(version, Source::Cached(origin)))
}

fn stands_for(version: Version, pin: Option<Version>) -> bool {
    let Some(pin) = pin else { return true };
    let instead_of = fs::read_to_string(dir().join(version.to_string()).join(INSTEAD_OF));
    version == pin || instead_of.is_ok_and(|text| text == pin.to_string())
}

fn binaries(version: Version, source: Source) -> Binaries {
    let dir = dir().join(version.to_string());
    Binaries { etcd: dir.join("etcd"), etcdctl: dir.join("etcdctl"), version, source }
}

/// Holds the line for this process while it builds or unpacks.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "unlocks when dropped")] Flock<File>);

pub(super) fn lock(line: Line, progress: &mut dyn Progress) -> anyhow::Result<Lock> {
    fs::create_dir_all(dir()).with_context(|| format!("creating {}", dir().display()))?;
    let path = dir().join(format!("{line}.lock"));
    let mut file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(Lock(held)),
            Err((back, Errno::EWOULDBLOCK)) => file = back,
            Err((_, errno)) => return Err(anyhow!(errno).context(format!("locking {}", path.display()))),
        }
        progress.waiting(&format!("another process is obtaining etcd {line}"));
        thread::sleep(Duration::from_millis(200));
    }
}

/// A directory to build in; it vanishes when dropped and lies on the same file system as the cache.
pub(super) fn scratch() -> anyhow::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("scratch-").tempdir_in(dir()).context("creating a scratch directory")
}

/// Moves the directory `made`, which holds etcd and etcdctl, into the cache.
pub(super) fn install(made: &Path, pin: Option<Version>, source: Source) -> anyhow::Result<Binaries> {
    let version = installed::version_of(&made.join("etcd"))?;
    fs::write(made.join(ORIGIN), source.to_string()).context("noting the origin")?;
    if let Some(pin) = pin.filter(|pin| *pin != version) {
        fs::write(made.join(INSTEAD_OF), pin.to_string()).context("noting what it stands for")?;
    }
    let place = dir().join(version.to_string());
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("replacing {}", place.display()))?;
    }
    fs::rename(made, &place).with_context(|| format!("installing {}", place.display()))?;
    Ok(binaries(version, source))
}
