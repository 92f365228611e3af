//! Builds etcd and etcdctl from the Go module that `ci/etcd/<line>/` pins.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use super::{Binaries, Source, cache, command, go_toolchain, go_toolchain::Go};
use crate::{Line, Progress, Version, workspace};

fn module(line: Line) -> PathBuf {
    workspace::root().join("ci/etcd").join(line.to_string())
}

/// The version that `ci/etcd/<line>/go.mod` pins.
pub(super) fn pinned(line: Line) -> Option<Version> {
    version_in(&fs::read_to_string(module(line).join("go.mod")).ok()?)
}

fn version_in(go_mod: &str) -> Option<Version> {
    let server = go_mod.lines().find_map(|line| line.trim().strip_prefix("go.etcd.io/etcd/server/v3 "))?;
    server.split_whitespace().next()?.parse().ok()
}

/// Builds with the first Go that can.
pub(super) fn build(version: Version, progress: &mut dyn Progress) -> anyhow::Result<Binaries> {
    let mut reasons = Vec::new();
    for (name, toolchain) in go_toolchain::SOURCES {
        let built = toolchain(progress).and_then(|go| build_with(&go, version, progress));
        match built {
            Ok(binaries) => return Ok(binaries),
            Err(error) => {
                progress.step(&format!("{name}: {error:#}"));
                reasons.push(format!("{name}: {error:#}"));
            }
        }
    }
    bail!("{}", reasons.join("; "))
}

fn build_with(go: &Go, version: Version, progress: &mut dyn Progress) -> anyhow::Result<Binaries> {
    let line = version.line();
    let scratch = cache::scratch()?;
    let made = scratch.path().join("made");
    fs::create_dir(&made).context("creating the output directory")?;
    progress.step(&format!("building etcd {version} from ci/etcd/{line} with {go} (takes minutes)"));
    let mut download = go_command(go, line, ["mod", "download"]);
    command::run(&mut download, &format!("fetching the modules of etcd {version}"), progress)?;
    progress.step("modules are there, compiling");
    command::run(&mut build_command(go, line, &made), &format!("compiling etcd {version}"), progress)?;
    let binaries = cache::install(&made, Some(version), Source::Built(go.to_string()))?;
    if binaries.version != version {
        bail!("go.mod pins {version}, but the build says {}", binaries.version);
    }
    progress.step(&format!("built {}", binaries.etcd.display()));
    Ok(binaries)
}

fn build_command(go: &Go, line: Line, made: &Path) -> Command {
    let mut build = go_command(go, line, ["build", "-mod=readonly"]);
    build.args(["-v", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"]).arg(made);
    build.args(["./etcd", "./etcdctl"]);
    build
}

/// Builds a program of the module `ci/contender`. Go compiles again only what has changed.
pub(super) fn contender(package: &str, progress: &mut dyn Progress) -> anyhow::Result<PathBuf> {
    let place =
        workspace::target().join("go/contender").with_extension(package.trim_start_matches(['.', '/']));
    program(&workspace::root().join("ci/contender"), package, &place, progress)?;
    Ok(place)
}

/// Builds etcdutl with the modules of a line, unless it was built from the same version before.
pub(super) fn etcdutl(line: Line, progress: &mut dyn Progress) -> anyhow::Result<PathBuf> {
    let version = pinned(line).with_context(|| format!("ci/etcd has no module for {line}"))?;
    let place = workspace::target().join(format!("go/etcdutl-{version}"));
    if !place.is_file() {
        let scratch = cache::scratch()?;
        let made = scratch.path().join("etcdutl");
        program(&module(line), "./etcdutl", &made, progress)?;
        fs::create_dir_all(workspace::target().join("go")).context("creating target/go")?;
        fs::rename(&made, &place).with_context(|| format!("installing {}", place.display()))?;
    }
    Ok(place)
}

/// Builds one program of a module with the first Go that can.
fn program(module: &Path, package: &str, place: &Path, progress: &mut dyn Progress) -> anyhow::Result<()> {
    let mut reasons = Vec::new();
    for (name, toolchain) in go_toolchain::SOURCES {
        let built = toolchain(progress).and_then(|go| {
            let mut build = go_command_in(&go, module, ["build", "-mod=readonly"]);
            build.args(["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o"]).arg(place).arg(package);
            command::run(&mut build, &format!("building {}", place.display()), progress)
        });
        match built {
            Ok(()) => return Ok(()),
            Err(error) => reasons.push(format!("{name}: {error:#}")),
        }
    }
    bail!("{}", reasons.join("; "))
}

fn go_command<const N: usize>(go: &Go, line: Line, args: [&str; N]) -> Command {
    go_command_in(go, &module(line), args)
}

fn go_command_in<const N: usize>(go: &Go, module: &Path, args: [&str; N]) -> Command {
    let mut command = go.command();
    command.args(args).current_dir(module);
    // An inherited -mod=mod would rewrite go.sum, an inherited `local` would refuse to fetch the toolchain that go.mod
    // wants.
    command.envs([("GOFLAGS", ""), ("GOWORK", "off"), ("GOTOOLCHAIN", "auto"), ("CGO_ENABLED", "0")]);
    if env::var_os("HOME").is_none() {
        let go_dir = workspace::target().join("go");
        command.env("GOPATH", go_dir.join("path")).env("GOCACHE", go_dir.join("cache"));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_but_the_oldest_is_pinned_to_itself() {
        for line in &Line::ALL[1..] {
            assert_eq!(pinned(*line).map(Version::line), Some(*line));
        }
        assert_eq!(pinned(Line::V3_4), None);
    }

    #[test]
    fn the_pin_is_the_servers_requirement() {
        let go_mod =
            "require (\n\tgo.etcd.io/etcd/etcdctl/v3 v3.6.1\n\tgo.etcd.io/etcd/server/v3 v3.6.16 // why\n)";
        assert_eq!(version_in(go_mod).unwrap().to_string(), "3.6.16");
        assert_eq!(version_in("module x\n"), None);
    }
}
