//! An etcd that somebody installed: `ETCD_BIN` and `PATH`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use super::{Binaries, Source};
use crate::{Line, Version};

pub(super) fn from_variable(line: Option<Line>) -> anyhow::Result<Binaries> {
    let etcd = env::var_os("ETCD_BIN").filter(|value| !value.is_empty()).context("not set")?;
    let etcd = PathBuf::from(etcd);
    let etcdctl = match env::var_os("ETCDCTL_BIN").filter(|value| !value.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => etcd.with_file_name("etcdctl"),
    };
    check(etcd, etcdctl, line, Source::Variable)
}

pub(super) fn from_path(line: Option<Line>) -> anyhow::Result<Binaries> {
    let etcd = in_path("etcd").context("no etcd in it")?;
    let beside = etcd.with_file_name("etcdctl");
    let etcdctl =
        if beside.is_file() { beside } else { in_path("etcdctl").context("an etcd, but no etcdctl")? };
    check(etcd, etcdctl, line, Source::Path)
}

pub(super) fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

pub(super) fn version_of(etcd: &Path) -> anyhow::Result<Version> {
    let output = Command::new(etcd)
        .arg("--version")
        .output()
        .with_context(|| format!("running {} --version", etcd.display()))?;
    Version::from_banner(&String::from_utf8_lossy(&output.stdout))
        .with_context(|| format!("asking {} for its version", etcd.display()))
}

fn check(etcd: PathBuf, etcdctl: PathBuf, line: Option<Line>, source: Source) -> anyhow::Result<Binaries> {
    ensure!(etcdctl.is_file(), "no etcdctl at {}", etcdctl.display());
    let version = version_of(&etcd)?;
    match line {
        Some(line) if line != version.line() => bail!("{} is {version}, not {line}", etcd.display()),
        _ => Ok(Binaries { etcd, etcdctl, version, source }),
    }
}
