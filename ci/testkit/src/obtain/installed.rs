//! An installed etcd: `ETCD_BIN` and `PATH`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use super::{Binaries, Source};
use crate::{Line, Version};

/// Returns the binaries that `ETCD_BIN` names, or the reason why they cannot be used. `None` if it is unset.
pub(super) fn from_variable(line: Option<Line>) -> Option<anyhow::Result<Binaries>> {
    let etcd = set("ETCD_BIN")?;
    let etcdctl = set("ETCDCTL_BIN").unwrap_or_else(|| etcd.with_file_name("etcdctl"));
    Some(check(etcd, etcdctl, line, Source::Variable))
}

/// The etcd in `PATH`, or why it does not fit; `None` when there is none.
pub(super) fn from_path(line: Option<Line>) -> Option<anyhow::Result<Binaries>> {
    let etcd = in_path("etcd")?;
    let beside = etcd.with_file_name("etcdctl");
    let etcdctl = if beside.is_file() { Some(beside) } else { in_path("etcdctl") };
    let etcdctl = etcdctl.with_context(|| format!("no etcdctl for {}", etcd.display()));
    Some(etcdctl.and_then(|etcdctl| check(etcd, etcdctl, line, Source::Path)))
}

fn set(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
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

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn pretender(dir: &Path, version: &str) -> PathBuf {
        let etcd = dir.join("etcd");
        fs::write(&etcd, format!("#!/bin/sh\necho 'etcd Version: {version}'\n")).unwrap();
        fs::set_permissions(&etcd, fs::Permissions::from_mode(0o755)).unwrap();
        etcd
    }

    #[test]
    fn an_installed_etcd_is_taken_for_its_own_line_or_when_none_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let etcd = pretender(dir.path(), "3.6.1");
        let try_line = |line| check(etcd.clone(), etcd.clone(), line, Source::Path);
        assert_eq!(try_line(None).unwrap().version.to_string(), "3.6.1");
        assert!(try_line(Some(Line::V3_6)).is_ok());
        let refused = try_line(Some(Line::V3_7)).unwrap_err().to_string();
        assert!(refused.contains("3.6.1, not 3.7"), "{refused}");
        assert!(check(etcd.clone(), dir.path().join("etcdctl"), None, Source::Path).is_err());
    }
}
