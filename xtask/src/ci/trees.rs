//! Checks that `etcd-proto` and `etcd-errors` depend on no transport and no TLS library.

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::cargo;

/// The crates to check, with their default features.
const LIGHT: [&str; 2] = ["etcd-proto", "etcd-errors"];
/// Crates that must not be in their trees, by the beginning of the name.
const HEAVY_CRATES: [&str; 9] =
    ["h2 ", "hyper", "rustls", "tokio-rustls", "ring ", "aws-lc", "openssl", "native-tls", "mio "];
/// Features that must not be enabled in their trees.
const HEAVY_FEATURES: [&str; 4] = [
    "tokio feature \"rt\"",
    "tokio feature \"rt-multi-thread\"",
    "tokio feature \"net\"",
    "tokio feature \"full\"",
];

/// Checks both trees and returns them for the log.
///
/// # Errors
///
/// Returns an error that names the crate and the line if a tree has a transport.
pub(super) fn check() -> Result<String> {
    let mut trees = String::new();
    for name in LIGHT {
        let listed = tree(name, "normal,features")?;
        if let Some(line) = heavy(&listed) {
            bail!("{name} must not depend on a transport or on TLS, but its tree has `{line}`:\n{listed}");
        }
        trees += &tree(name, "normal")?;
    }
    Ok(trees.trim_end().to_owned())
}

fn tree(name: &str, edges: &str) -> Result<String> {
    let mut command = cargo(["tree", "--locked", "--target", "all", "--package", name, "--edges", edges]);
    let output = command.output().context("starting cargo tree")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree --package {name}: {errors}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the first entry that must not be in the tree.
fn heavy(tree: &str) -> Option<&str> {
    let entries = tree.lines().map(|line| line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()));
    entries
        .into_iter()
        .find(|entry| HEAVY_CRATES.iter().chain(&HEAVY_FEATURES).any(|heavy| entry.starts_with(heavy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_in_the_tree_is_reported() {
        let tree = |entry: &str| format!("etcd-proto v0.1.0\n├── bytes v1.12.1\n│   └── {entry}\n");
        for entry in ["h2 v0.4.20", "rustls v0.23.1", "ring v0.17.1 (*)", "tokio feature \"net\""] {
            assert_eq!(heavy(&tree(entry)), Some(entry));
        }
        for entry in ["prost v0.14.1", "tokio feature \"sync\"", "h2o v1.0.0", "string v1.0.0"] {
            assert_eq!(heavy(&tree(entry)), None);
        }
    }
}
