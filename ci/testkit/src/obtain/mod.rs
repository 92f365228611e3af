//! Obtains etcd and etcdctl: installed, built before, built from the pinned Go modules, or from a package of the
//! distribution.

mod apt;
mod cache;
mod command;
mod go_build;
mod go_toolchain;
mod installed;

use std::{fmt, path::PathBuf};

use anyhow::{Context as _, anyhow};

use crate::{Line, Progress, Version};

/// An etcd and the etcdctl that goes with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Binaries {
    /// Path of etcd.
    pub etcd: PathBuf,
    /// Path of etcdctl.
    pub etcdctl: PathBuf,
    /// The output of `etcd --version`.
    pub version: Version,
    /// The source of the binaries.
    pub source: Source,
}

/// The source of binaries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The variable `ETCD_BIN`.
    Variable,
    /// A directory of `PATH`.
    Path,
    /// `target/etcd/`, put there earlier; says by what.
    Cached(String),
    /// Just built from the Go module pinned in `ci/etcd/`; says by which Go.
    Built(String),
    /// Just unpacked from a package of the distribution; says which.
    Package(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => f.write_str("ETCD_BIN"),
            Self::Path => f.write_str("PATH"),
            Self::Cached(how) => write!(f, "target/etcd ({how})"),
            Self::Built(go) => write!(f, "built from ci/etcd with {go}"),
            Self::Package(name) => write!(f, "unpacked from {name}"),
        }
    }
}

/// Obtains etcd and etcdctl of a line. `None` means the installed etcd of any line, or else [`Line::NEWEST`].
///
/// Blocks. A build takes minutes, and waits while another process builds the same line.
///
/// # Errors
///
/// Returns an error if no source has it. The error lists each source, the reason of its failure, and a remedy.
pub fn obtain(line: Option<Line>, progress: &mut dyn Progress) -> anyhow::Result<Binaries> {
    let mut failures = Failures::default();
    for (source, found) in
        [("ETCD_BIN", installed::from_variable(line)), ("PATH", installed::from_path(line))]
    {
        match found {
            None => failures.push(source, "no etcd there".to_owned()),
            Some(Ok(binaries)) => return Ok(binaries),
            Some(Err(error)) => {
                progress.step(&format!("not using {source}: {error:#}"));
                failures.push(source, format!("{error:#}"));
            }
        }
    }
    let line = line.unwrap_or(Line::NEWEST);
    let pin = go_build::pinned(line);
    if let Some(found) = failures.note("target/etcd", cache::find(line, pin)) {
        return Ok(found);
    }
    make(line, pin, failures, progress)
}

/// Builds the program of `ci/contender`, which contends with Go's recipes. Blocks; the first build takes a minute.
///
/// # Errors
/// Where there is no Go, or it cannot have the modules.
pub fn obtain_contender(progress: &mut dyn Progress) -> anyhow::Result<PathBuf> {
    go_build::contender(".", progress).context("building ci/contender")
}

/// Builds the program of `ci/contender/leasing`, which uses Go's leasing. Blocks; the first build takes a minute.
///
/// # Errors
/// Where there is no Go, or it cannot have the modules.
pub fn obtain_leasing_contender(progress: &mut dyn Progress) -> anyhow::Result<PathBuf> {
    go_build::contender("./leasing", progress).context("building ci/contender/leasing")
}

/// Builds etcdutl of a line from 3.6 on, from the module that `ci/etcd` pins. Blocks. A previous build is used again.
///
/// # Errors
///
/// Returns an error if Go is missing or cannot download the modules.
pub(crate) fn etcdutl(line: Line, progress: &mut dyn Progress) -> anyhow::Result<PathBuf> {
    let _lock = cache::lock(line, progress).context("locking target/etcd")?;
    go_build::etcdutl(line, progress).with_context(|| format!("building etcdutl of ci/etcd/{line}"))
}

fn make(
    line: Line,
    pin: Option<Version>,
    mut failures: Failures,
    progress: &mut dyn Progress,
) -> anyhow::Result<Binaries> {
    let _lock = cache::lock(line, progress).context("locking target/etcd")?;
    if let Ok(found) = cache::find(line, pin) {
        return Ok(found);
    }
    match pin {
        Some(version) => {
            let built = go_build::build(version, progress);
            if let Some(binaries) = failures.note("the pinned Go module", built) {
                return Ok(binaries);
            }
        }
        None => failures.push("the pinned Go module", format!("ci/etcd has none for {line}")),
    }
    if let Some(binaries) = failures.note("a distribution's package", apt::etcd(line, pin, progress)) {
        return Ok(binaries);
    }
    Err(failures.into_error(line))
}

#[derive(Default)]
struct Failures(Vec<(&'static str, String)>);

impl Failures {
    fn note<T>(&mut self, source: &'static str, result: anyhow::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(source, format!("{error:#}"))).ok()
    }

    fn push(&mut self, source: &'static str, reason: String) {
        self.0.push((source, reason));
    }

    fn into_error(self, line: Line) -> anyhow::Error {
        let tried: String =
            self.0.iter().map(|(source, reason)| format!("\n  {source}: {}", reason.trim_end())).collect();
        anyhow!(
            "no etcd {line} could be had\ntried:{tried}\nwhat helps: set ETCD_BIN to an etcd {line} (etcdctl beside it, or \
             in ETCDCTL_BIN), or install Go 1.21 or newer and let the network reach its module proxy, then run \
             `cargo xtask etcd fetch --etcd {line}`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_each_source_and_the_way_out() {
        let mut failures = Failures::default();
        assert!(failures.note::<()>("PATH", Err(anyhow!("no etcd in it"))).is_none());
        failures.push("target/etcd", "empty".to_owned());
        let text = failures.into_error(Line::V3_5).to_string();
        for part in
            ["no etcd 3.5", "PATH: no etcd in it", "target/etcd: empty", "ETCD_BIN", "fetch --etcd 3.5"]
        {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
    }
}
