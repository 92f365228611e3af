//! Packages of a Debian or Ubuntu, fetched without root, without a prior `apt-get update` and without installing
//! anything.
//!
//! apt works in a private state directory. The mirrors are those of the system's own sources; other suites of the same
//! archive are asked there too, since an older or newer suite may hold the wanted line. Signatures are always checked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::{
    Binaries, Source, cache, command,
    go_toolchain::{self, Go, OLDEST_MINOR},
};
use crate::{Line, Progress, Version};

mod sources;

/// Unpacks etcd and etcdctl of a line.
pub(super) fn etcd(
    line: Line,
    pin: Option<Version>,
    progress: &mut dyn Progress,
) -> anyhow::Result<Binaries> {
    let scratch = cache::scratch()?;
    each_suite(progress, |suite, progress| {
        let apt = Apt::update(suite, progress)?;
        let (full, version) = apt.newest_etcd(line)?;
        let packages = [format!("etcd-server={full}"), format!("etcd-client={full}")];
        progress.step(&format!("unpacking etcd-server and etcd-client {full} of {}", suite.name));
        let tree = apt.unpack(&packages, progress)?;
        let made = scratch.path().join(version.to_string());
        fs::create_dir(&made).context("creating the output directory")?;
        for name in ["etcd", "etcdctl"] {
            fs::copy(tree.path().join("usr/bin").join(name), made.join(name))
                .with_context(|| format!("taking {name} out of the package"))?;
        }
        cache::install(&made, pin, Source::Package(format!("package {full} of {}", suite.name)))
    })
}

/// Unpacks a Go that is new enough to fetch the toolchain it needs.
pub(super) fn go(progress: &mut dyn Progress) -> anyhow::Result<Go> {
    let place = go_toolchain::dir().join("package");
    if !place.exists() {
        let scratch = go_toolchain::scratch()?;
        each_suite(progress, |suite, progress| {
            let apt = Apt::update(suite, progress)?;
            let name = apt.newest_go()?;
            progress.step(&format!("unpacking {name} of {}", suite.name));
            let tree = apt.unpack(&[format!("{name}-go"), format!("{name}-src")], progress)?;
            let root = tree.path().join("usr/lib").join(name.replacen("golang-", "go-", 1));
            fs::rename(tree.path(), scratch.path().join("tree")).context("keeping the packages")?;
            let relative = root.strip_prefix(tree.path()).context("locating the tree")?;
            std::os::unix::fs::symlink(relative, scratch.path().join("tree/goroot"))
                .context("linking the tree")
        })?;
        go_toolchain::keep(&scratch.path().join("tree"), &place)?;
    }
    Go::unpacked(place.join("goroot"), "a package of the distribution")
}

/// The first suite for which `take` succeeds, or why each did not.
fn each_suite<T>(
    progress: &mut dyn Progress,
    mut take: impl FnMut(&Suite, &mut dyn Progress) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut reasons = Vec::new();
    for suite in sources::suites()? {
        match take(&suite, progress) {
            Ok(taken) => return Ok(taken),
            Err(error) => reasons.push(format!("{}: {error:#}", suite.name)),
        }
    }
    bail!("{}", reasons.join("; "))
}

/// One suite of the distribution's archive, as a deb822 source.
#[derive(Debug)]
struct Suite {
    name: String,
    source: String,
}

/// apt with the sources of one suite, in a separate directory.
struct Apt {
    dir: TempDir,
}

impl Apt {
    fn update(suite: &Suite, progress: &mut dyn Progress) -> anyhow::Result<Self> {
        let dir = cache::scratch()?;
        let path = dir.path();
        for sub in ["state/lists/partial", "cache/archives/partial", "none"] {
            fs::create_dir_all(path.join(sub)).context("creating apt's directories")?;
        }
        fs::write(path.join("status"), "").context("writing apt's status")?;
        fs::write(path.join("suite.sources"), &suite.source).context("writing apt's source")?;
        fs::write(path.join("apt.conf"), configuration(path)).context("writing apt's configuration")?;
        let apt = Self { dir };
        command::run(apt.command("apt-get").arg("update"), &format!("reading {}", suite.name), progress)?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-c").arg(self.dir.path().join("apt.conf")).current_dir(self.dir.path());
        command.env("LC_ALL", "C");
        command
    }

    /// The newest etcd-server of a line: the package's version and etcd's.
    fn newest_etcd(&self, line: Line) -> anyhow::Result<(String, Version)> {
        let table = command::read(self.command("apt-cache").args(["madison", "etcd-server"]))?;
        let versions = table.lines().filter_map(|row| row.split('|').nth(1)).map(str::trim);
        let known = versions.filter_map(|full| Some((full.to_owned(), full.parse::<Version>().ok()?)));
        let fitting = known.filter(|(_, version)| version.line() == line);
        fitting.max_by_key(|(_, version)| *version).with_context(|| format!("has no etcd {line}"))
    }

    /// The newest Go that is new enough, as `golang-1.N`.
    fn newest_go(&self) -> anyhow::Result<String> {
        let names = command::read(self.command("apt-cache").args(["pkgnames", "golang-1."]))?;
        let minors = names.lines().filter_map(|name| name.strip_prefix("golang-1.")?.strip_suffix("-go"));
        let newest = minors.filter_map(|minor| minor.parse::<u32>().ok()).max().context("has no Go")?;
        ensure!(newest >= OLDEST_MINOR, "has only Go 1.{newest}, older than 1.{OLDEST_MINOR}");
        Ok(format!("golang-1.{newest}"))
    }

    fn unpack(&self, packages: &[String], progress: &mut dyn Progress) -> anyhow::Result<TempDir> {
        command::run(self.command("apt-get").arg("download").args(packages), "downloading", progress)?;
        let tree = cache::scratch()?;
        for entry in fs::read_dir(self.dir.path())?.flatten() {
            let path: PathBuf = entry.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                command::run(
                    Command::new("dpkg").arg("-x").arg(&path).arg(tree.path()),
                    "unpacking",
                    progress,
                )?;
            }
        }
        Ok(tree)
    }
}

fn configuration(dir: &Path) -> String {
    let dir = dir.display();
    // The hooks of a container's own configuration work on the system's directories; the sandbox user cannot enter
    // ours.
    format!(
        "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n\
         #clear DPkg::Post-Invoke;\n\
         APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n\
         Dir::State \"{dir}/state\";\nDir::State::status \"{dir}/status\";\nDir::State::lists \"{dir}/state/lists\";\n\
         Dir::Cache \"{dir}/cache\";\nDir::Cache::archives \"{dir}/cache/archives\";\n\
         Dir::Etc::sourcelist \"{dir}/suite.sources\";\nDir::Etc::sourceparts \"{dir}/none\";\n\
         Dir::Etc::preferencesparts \"{dir}/none\";\n"
    )
}
