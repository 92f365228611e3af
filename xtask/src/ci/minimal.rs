//! Checks that the published crates compile with the lowest version of each direct dependency that their manifests
//! allow.
//!
//! `ci/minimal-versions.lock` has those versions. Cargo reads a lock file only from the folder of the root manifest, so
//! the check copies the workspace and compiles the copy with that file, into the target directory of the other steps.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::workspace::{File, cargo, files, root, target};

/// The lock file.
const LOCK: &str = "ci/minimal-versions.lock";
/// The published crates.
const PUBLISHED: [&str; 5] =
    ["etcd-proto", "etcd-errors", "etcd-client-core", "etcd-concurrency", "etcd-testing"];
/// Folders that do not belong to the workspace.
const ELSEWHERE: [&str; 4] = ["ci/bench/", "ci/contender/", "ci/etcd/", "docs/"];
/// The command that writes the lock file.
const WRITE: &str = "cargo xtask minimal-versions";

/// Compiles the published crates against the lock file.
///
/// # Errors
///
/// Returns an error if the lock file does not have the lowest versions, if it does not match the manifests, or if a
/// crate does not compile.
pub(super) fn check() -> Result<String> {
    let lock = fs::read_to_string(root().join(LOCK)).with_context(|| format!("reading {LOCK}"))?;
    let manifest = fs::read_to_string(root().join("Cargo.toml")).context("reading Cargo.toml")?;
    let higher = above_their_bounds(&manifest, &lock);
    ensure!(higher.is_empty(), "{LOCK} is out of date, run `{WRITE}`: {}", higher.join(", "));
    let copy = copy(&files()?)?;
    fs::write(copy.join("Cargo.lock"), lock).context("writing the copy's lock file")?;
    let mut command = cargo(["check", "--locked", "--all-features", "--target-dir"]);
    command.arg(target()).args(PUBLISHED.iter().flat_map(|name| ["--package", *name])).current_dir(&copy);
    let output = command.output().context("starting cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "the workspace does not compile with the lowest versions of its dependencies; if the lock file needs an \
         update, run `{WRITE}`:\n{said}"
    );
    Ok(String::new())
}

/// Writes the lock file.
///
/// # Errors
///
/// Returns an error if the lowest versions of two crates exclude each other, or if the registry cannot be reached.
pub(crate) fn write() -> Result<()> {
    let copy = copy(&files()?)?;
    let _ = fs::remove_file(copy.join("Cargo.lock"));
    // Stable cargo accepts `-Z` flags with this variable only. This command resolves versions and compiles nothing.
    let mut command = cargo(["generate-lockfile", "-Z", "direct-minimal-versions"]);
    command.env("RUSTC_BOOTSTRAP", "1").current_dir(&copy);
    ensure!(command.status().context("starting cargo")?.success(), "the lowest versions exclude each other");
    fs::copy(copy.join("Cargo.lock"), root().join(LOCK)).with_context(|| format!("writing {LOCK}"))?;
    Ok(())
}

/// Copies the files of the workspace that cargo reads, and returns the folder of the copy.
fn copy(files: &[File]) -> Result<PathBuf> {
    let folder = target().join("minimal-versions");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    for file in files.iter().filter(|file| !ELSEWHERE.iter().any(|folder| file.path.starts_with(folder))) {
        let to = folder.join(&file.path);
        fs::create_dir_all(to.parent().unwrap_or(&folder)).context("creating the copy")?;
        fs::write(&to, &file.text).with_context(|| format!("writing {}", to.display()))?;
    }
    Ok(folder)
}

/// Returns the dependencies that the lock file does not have at the lowest version that the manifest allows.
fn above_their_bounds(manifest: &str, lock: &str) -> Vec<String> {
    let locked = locked(lock);
    let holds = |name: &str, bound: &str| {
        let exact = |version: &str| version == bound || version.starts_with(&format!("{bound}."));
        locked.iter().any(|(locked, version)| *locked == name && exact(version))
    };
    let bounds = bounds(manifest);
    bounds
        .iter()
        .filter(|(name, bound)| !holds(name, bound))
        .map(|(name, bound)| format!("{name} {bound}"))
        .collect()
}

/// Returns the crates of the registry in `[workspace.dependencies]` with their lower bounds.
fn bounds(manifest: &str) -> Vec<(&str, &str)> {
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.contains("path =")).filter_map(dependency).collect()
}

fn dependency(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(" = ").filter(|_| !line.starts_with('#'))?;
    let version = value.strip_prefix("{ version = ").unwrap_or(value).strip_prefix('"')?;
    Some((name, version.split('"').next()?))
}

fn locked(lock: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(text) = line.strip_prefix("name = ") {
            name = text.trim_matches('"');
        } else if let Some(text) = line.strip_prefix("version = \"") {
            found.push((name, text.trim_matches('"')));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.dependencies]\nours = { path = \"ours\", version = \"=0.1.0\" }\n\n# Why.\na = \"1.2\"\n\
                            b = { version = \"0.3.1\", default-features = false }\n\n[workspace.lints.rust]\nc = \"deny\"\n";

    #[test]
    fn a_version_above_its_bound_is_reported() {
        let lock = |a: &str, b: &str| {
            format!(
                "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"{a}\"\n\n[[package]]\nname = \"b\"\nversion = \"{b}\"\n"
            )
        };
        assert_eq!(bounds(MANIFEST), [("a", "1.2"), ("b", "0.3.1")]);
        assert!(above_their_bounds(MANIFEST, &lock("1.2.0", "0.3.1")).is_empty());
        assert_eq!(above_their_bounds(MANIFEST, &lock("1.20.0", "0.3.1")), ["a 1.2"]);
        assert_eq!(above_their_bounds(MANIFEST, &lock("1.2.0", "0.3.10")), ["b 0.3.1"]);
        assert_eq!(above_their_bounds(MANIFEST, ""), ["a 1.2", "b 0.3.1"]);
    }
}
