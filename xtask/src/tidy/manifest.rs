//! Rules on manifests: which crate may depend on which, and what every crate takes from the workspace.
//!
//! The reader below knows the part of TOML that this workspace's manifests use: sections, and one key a line.

use super::Finding;
use crate::workspace::File;

/// Each crate and the siblings it may depend on. Tests may also use `etcd-testkit`.
const SIBLINGS: [(&str, &[&str]); 6] = [
    ("etcd-proto", &[]),
    ("etcd-errors", &[]),
    ("etcd-client-core", &["etcd-proto", "etcd-errors"]),
    ("etcd-concurrency", &["etcd-proto", "etcd-errors", "etcd-client-core"]),
    // A testkit that knew the client would be in the way of the client's own tests.
    ("etcd-testkit", &["etcd-proto"]),
    ("xtask", &["etcd-proto", "etcd-errors", "etcd-client-core", "etcd-concurrency", "etcd-testkit"]),
];

/// What each member inherits.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];
/// What a published crate says about itself.
const PUBLISHED: [&str; 5] = ["description", "keywords", "readme", "license", "categories"];

/// A manifest, key by key.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) path: String,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    section: String,
    key: String,
    value: String,
}

impl Manifest {
    pub(super) fn parse(file: &File) -> Self {
        let mut section = String::new();
        let mut entries = Vec::new();
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.to_owned();
            } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                entries.push(Entry { line: index + 1, section: section.clone(), key, value });
            }
        }
        Self { path: file.path.clone(), entries }
    }

    /// A string without its quotes, or any other value as written.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.section == section && entry.key == key)?;
        Some(entry.value.trim_matches('"'))
    }

    /// The folder of the manifest; empty for the root.
    pub(super) fn folder(&self) -> &str {
        self.path.trim_end_matches("Cargo.toml").trim_end_matches('/')
    }

    pub(super) fn is_published(&self) -> bool {
        self.value("package", "publish") != Some("false")
    }

    fn name(&self) -> &str {
        self.value("package", "name").unwrap_or_default()
    }

    fn has(&self, section: &str, key: &str) -> bool {
        let inherited = format!("{key}.workspace");
        self.entries.iter().any(|e| e.section == section && (e.key == key || e.key == inherited))
    }

    /// Section, name, line and whether the workspace sets the version, of each dependency.
    fn dependencies(&self) -> impl Iterator<Item = (&str, &str, usize, bool)> {
        let entries = self.entries.iter().filter(|entry| entry.section.ends_with("dependencies"));
        entries.map(|entry| {
            let inherited = entry.key.ends_with(".workspace") || entry.value.contains("workspace = true");
            let name = entry.key.split('.').next().unwrap_or_default();
            (entry.section.as_str(), name, entry.line, inherited)
        })
    }
}

/// The members that the root manifest lists.
pub(super) fn members(manifests: &[Manifest]) -> impl Iterator<Item = &Manifest> {
    let root = manifests.iter().find(|manifest| manifest.path == "Cargo.toml");
    let listed = root.and_then(|root| root.value("workspace", "members")).unwrap_or_default();
    let listed: Vec<_> = listed.split('"').collect();
    manifests.iter().filter(move |manifest| listed.contains(&manifest.folder()) && manifest.folder() != "")
}

pub(super) fn check(manifests: &[Manifest]) -> Vec<Finding> {
    members(manifests).flat_map(|manifest| [siblings(manifest), inheritance(manifest)].concat()).collect()
}

fn siblings(manifest: &Manifest) -> Vec<Finding> {
    let found = |line, what: String| Finding::new("dependency", &manifest.path, line, what);
    let Some((name, allowed)) = SIBLINGS.iter().find(|(name, _)| *name == manifest.name()) else {
        let what = "the crate has no place yet: add it to the table in xtask/src/tidy/manifest.rs";
        return vec![found(1, what.to_owned())];
    };
    let mut findings = Vec::new();
    for (section, dependency, line, inherited) in manifest.dependencies() {
        let sibling = SIBLINGS.iter().any(|(name, _)| *name == dependency);
        let for_tests = section.starts_with("dev-") && dependency == "etcd-testkit";
        if sibling && !allowed.contains(&dependency) && !for_tests && dependency != *name {
            findings.push(found(
                line,
                format!("`{name}` must not depend on `{dependency}`: dependencies point down"),
            ));
        }
        if !inherited {
            let what =
                format!("write `{dependency}.workspace = true` and set its version in the root manifest");
            findings.push(found(line, what));
        }
    }
    findings
}

fn inheritance(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut missing = |what: String| findings.push(Finding::new("manifest", &manifest.path, 1, what));
    for key in INHERITED {
        if manifest.value("package", &format!("{key}.workspace")) != Some("true") {
            missing(format!("`[package]` needs `{key}.workspace = true`"));
        }
    }
    if manifest.value("lints", "workspace") != Some("true") {
        missing("add `[lints]` with `workspace = true`".to_owned());
    }
    for key in PUBLISHED.iter().filter(|_| manifest.is_published()) {
        if !manifest.has("package", key) {
            missing(format!("a published crate needs `{key}`"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = r#"
[package]
name = "etcd-errors"
description = "d"
keywords = ["k"]
readme = "README.md"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
categories.workspace = true

[dependencies]
thiserror.workspace = true

[dev-dependencies]
etcd-testkit.workspace = true

[lints]
workspace = true
"#;

    fn rules(text: &str) -> Vec<(&'static str, usize)> {
        let root = File { path: "Cargo.toml".into(), text: "[workspace]\nmembers = [\"a\"]\n".into() };
        let member = File { path: "a/Cargo.toml".into(), text: text.into() };
        let outside = File { path: "b/Cargo.toml".into(), text: "[package]\nname = \"b\"\n".into() };
        let manifests = [root, member, outside].map(|file| Manifest::parse(&file));
        check(&manifests).into_iter().map(|finding| (finding.rule, finding.line)).collect()
    }

    #[test]
    fn a_complete_manifest_passes() {
        assert!(rules(COMPLETE).is_empty());
    }

    #[test]
    fn a_missing_key_is_found() {
        for key in ["description", "keywords", "readme", "version", "edition", "rust-version", "license"] {
            let start = COMPLETE.find(&format!("\n{key}")).unwrap();
            let end = start + 1 + COMPLETE[start + 1..].find('\n').unwrap();
            let without = [&COMPLETE[..start], &COMPLETE[end..]].concat();
            assert!(rules(&without).contains(&("manifest", 1)), "{key}");
        }
        assert_eq!(rules(&COMPLETE.replace("[lints]\nworkspace = true", "")), [("manifest", 1)]);
        let unpublished = COMPLETE.replace("keywords = [\"k\"]", "publish = false");
        assert!(rules(&unpublished).is_empty());
    }

    #[test]
    fn dependencies_point_down_and_take_the_workspace_version() {
        let upward = COMPLETE.replace("thiserror", "etcd-client-core");
        assert_eq!(rules(&upward), [("dependency", 14)]);
        let tests_only = COMPLETE.replace("thiserror", "etcd-testkit");
        assert_eq!(rules(&tests_only), [("dependency", 14)]);
        let version = COMPLETE.replace("thiserror.workspace = true", "thiserror = \"2\"");
        assert_eq!(rules(&version), [("dependency", 14)]);
        let inline =
            COMPLETE.replace("thiserror.workspace = true", "a = { workspace = true, optional = true }");
        assert!(rules(&inline).is_empty());
    }
}
