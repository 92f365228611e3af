//! The rule that the oldest supported compiler is one number, said in the same way everywhere.

use super::Finding;
use super::manifest::Manifest;
use crate::workspace::File;

/// The documents that must name the version; the others must only name no other.
const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];
/// What stands in front of the version in a document.
const PHRASE: &str = "Rust 1.";

pub(super) fn check(manifests: &[Manifest], files: &[File]) -> Vec<Finding> {
    let root = manifests.iter().find(|manifest| manifest.path == "Cargo.toml");
    let Some(msrv) = root.and_then(|root| root.value("workspace.package", "rust-version")) else {
        return vec![Finding::new("msrv", "Cargo.toml", 1, "set `rust-version` in `[workspace.package]`")];
    };
    let configured = files.iter().filter(|file| file.path.ends_with("clippy.toml"));
    let documents = files.iter().filter(|file| file.path.ends_with(".md") && file.path != "CHANGELOG.md");
    let findings = configured.filter_map(|file| clippy(file, msrv));
    findings.chain(documents.flat_map(|file| document(file, msrv))).collect()
}

fn clippy(file: &File, msrv: &str) -> Option<Finding> {
    let wanted = format!("msrv = \"{msrv}\"");
    let says_so = file.text.lines().any(|line| line.trim() == wanted);
    (!says_so).then(|| Finding::new("msrv", &file.path, 1, format!("write `{wanted}`, as Cargo.toml says")))
}

fn document(file: &File, msrv: &str) -> Vec<Finding> {
    let mut named = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (offset, _) in line.match_indices(PHRASE) {
            let minor = line[offset + PHRASE.len()..].split(|c: char| !c.is_ascii_digit()).next();
            named.push((index + 1, format!("1.{}", minor.unwrap_or_default())));
        }
    }
    if named.is_empty() && DOCUMENTS.contains(&file.path.as_str()) {
        return vec![Finding::new("msrv", &file.path, 1, format!("name the oldest compiler: `Rust {msrv}`"))];
    }
    let wrong = named.into_iter().filter(|(_, version)| version != msrv);
    wrong
        .map(|(line, version)| {
            Finding::new(
                "msrv",
                &file.path,
                line,
                format!("Rust {version} here, {msrv} in Cargo.toml: make them one"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let root =
            File { path: "Cargo.toml".into(), text: "[workspace.package]\nrust-version = \"1.88\"\n".into() };
        let files = [File { path: path.into(), text: text.into() }];
        check(&[Manifest::parse(&root)], &files).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_document_repeats_the_manifest() {
        assert!(lines("README.md", "It needs Rust 1.88.\n").is_empty());
        assert_eq!(lines("README.md", "It needs Rust.\n"), [1]);
        assert_eq!(lines("README.md", "It needs Rust 1.88.\nNot Rust 1.8 or Rust 1.90.\n"), [2, 2]);
        assert!(lines("docs/a.md", "It needs Rust.\n").is_empty());
        assert_eq!(lines("docs/a.md", "It needs Rust 1.70.\n"), [1]);
        assert!(lines("CHANGELOG.md", "From Rust 1.70 on.\n").is_empty());
    }

    #[test]
    fn clippy_repeats_the_manifest() {
        assert!(lines("clippy.toml", "msrv = \"1.88\"\n").is_empty());
        assert_eq!(lines("ci/clippy.toml", "msrv = \"1.87\"\n"), [1]);
    }

    #[test]
    fn a_manifest_without_a_version_is_found() {
        assert_eq!(check(&[], &[]).len(), 1);
    }
}
