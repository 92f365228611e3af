//! Packages the published crates and builds each from its package.
//!
//! Cargo unpacks the packages that depend on each other into `$CARGO_HOME/registry/src`, below a hash of the path of
//! the target directory. It neither unpacks nor compiles a version again that it finds there, so that a second run in
//! the same path would compile against the sources of the first one. Each run therefore uses another path. Cargo removes
//! the unpacked sources when they have not been used for a month.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};

use crate::{
    steps::Step,
    workspace::{cargo, target},
};

/// The packages that are not published.
const UNPUBLISHED: [&str; 4] = ["xtask", "etcd-blocking-program", "etcd-demo", "etcd-testkit"];

/// Returns the steps that remove the packages of earlier runs, and create and build new ones.
pub(super) fn steps() -> [Step; 2] {
    let folder = target().join("package");
    let mut command = package(&folder);
    command.args(UNPUBLISHED.iter().flat_map(|name| ["--exclude", *name]));
    [Step::call("remove earlier packages", move || remove(&folder)), Step::run("package", command)]
}

fn remove(folder: &Path) -> Result<String> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(String::new())
}

/// Packages a workspace in a new target directory below `folder`. Cargo uses the packages of the workspace as their
/// dependencies.
fn package(folder: &Path) -> Command {
    let mut command = cargo(["package", "--workspace", "--locked", "--allow-dirty", "--target-dir"]);
    command.arg(unused(folder));
    command
}

/// Returns a path below `folder` that no earlier run has used.
fn unused(folder: &Path) -> PathBuf {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    folder.join(format!("{}-{}", time.as_nanos(), process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a workspace of two crates, `high` and `low`, in which `high` calls the function `name` of `low`.
    fn write_workspace(root: &Path, name: &str) {
        let manifest = |name: &str, rest: &str| {
            format!(
                "[package]\nname = \"xtask-test-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}"
            )
        };
        let low = "[dependencies]\nxtask-test-low = { path = \"../low\", version = \"=0.1.0\" }\n";
        let files = [
            ("Cargo.toml", "[workspace]\nmembers = [\"high\", \"low\"]\nresolver = \"3\"\n".to_owned()),
            ("high/Cargo.toml", manifest("high", low)),
            ("high/src/lib.rs", format!("pub use xtask_test_low::{name};\n")),
            ("low/Cargo.toml", manifest("low", "")),
            ("low/src/lib.rs", format!("pub fn {name}() {{}}\n")),
        ];
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("each file is in a folder"))
                .expect("the folder is writable");
            fs::write(path, text).expect("the folder is writable");
        }
    }

    /// Runs cargo with a home of its own, so that the test leaves nothing behind.
    fn succeeds(mut command: Command, root: &Path) -> bool {
        command.current_dir(root).env("CARGO_HOME", root.join("home")).env("CARGO_NET_OFFLINE", "true");
        command.output().expect("cargo can be started").status.success()
    }

    #[test]
    fn a_package_is_built_against_the_present_sources_of_the_others() {
        let root = unused(&std::env::temp_dir().join("xtask-package"));
        for name in ["first", "second"] {
            write_workspace(&root, name);
            assert!(succeeds(cargo(["generate-lockfile"]), &root));
            assert!(succeeds(package(&root.join("target")), &root), "the package that calls `{name}`");
        }
        fs::remove_dir_all(root).expect("the test created the folder");
    }
}
