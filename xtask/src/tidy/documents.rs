//! Rules on the documents: they stay short, and what they show is what is there.

use super::Finding;
use super::layers::LAYERS;
use super::manifest::{Manifest, members};
use crate::workspace::File;

/// The documents with a limit in lines.
const LIMITS: [(&str, usize); 2] = [("README.md", 150), ("ARCHITECTURE.md", 300)];
/// What the root and every published crate carry.
const LICENSES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];
/// The compiled program that the README shows.
const FIRST: &str = "etcd-client-core/examples/first.rs";
const FIRST_STARTS: &str = "<!-- first program: etcd-client-core/examples/first.rs -->\n```rust\n";
const FIRST_ENDS: &str = "```\n<!-- end of first program -->";

pub(super) fn check(files: &[File], manifests: &[Manifest]) -> Vec<Finding> {
    let mut findings = limits(files);
    findings.extend(first_program(find(files, "README.md"), find(files, FIRST)));
    findings.extend(code_map(find(files, "ARCHITECTURE.md"), files));
    let published = members(manifests).filter(|manifest| manifest.is_published());
    findings.extend(published.flat_map(|manifest| licenses(manifest.folder(), files)));
    findings
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

fn limits(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, limit) in LIMITS {
        let what = match find(files, path).map(|text| text.lines().count()) {
            None => "the document is missing".to_owned(),
            Some(lines) if lines > limit => format!("{lines} lines (limit {limit}): move detail to docs/"),
            Some(_) => continue,
        };
        findings.push(Finding::new("document", path, 1, what));
    }
    findings
}

/// The README's first program is the example, less the header that the example opens with.
fn first_program(readme: Option<&str>, example: Option<&str>) -> Option<Finding> {
    let readme = readme?;
    let found = |path, what: String| Some(Finding::new("first-program", path, 1, what));
    let Some(example) = example else {
        return found(FIRST, "the README's first program must be compiled: write this example".to_owned());
    };
    let shown = readme.split_once(FIRST_STARTS).and_then(|(_, rest)| rest.split_once(FIRST_ENDS));
    let Some((shown, _)) = shown else {
        return found("README.md", format!("show {FIRST} between `{}` and its end", FIRST_STARTS.trim_end()));
    };
    // Its `//!` lines, and the attributes that allow an example what a program is free to do.
    let header = example.lines().take_while(|line| line.starts_with("//!") || line.starts_with("#!["));
    let header = header.count();
    let body = example.splitn(header + 1, '\n').last().unwrap_or_default().trim_start_matches('\n');
    if shown == body {
        return None;
    }
    let line = shown.lines().zip(body.lines()).position(|(shown, body)| shown != body);
    let first = line.and_then(|line| body.lines().nth(line)).unwrap_or("its last line");
    found("README.md", format!("the first program differs from {FIRST} at `{first}`: copy the example"))
}

/// Every folder of the client crate has its line in the code map.
fn code_map(architecture: Option<&str>, files: &[File]) -> Vec<Finding> {
    let Some(architecture) = architecture else { return Vec::new() };
    let exists = |layer: &str| {
        let folder = format!("etcd-client-core/src/{layer}/");
        files.iter().any(|file| file.path.starts_with(&folder))
    };
    let missing =
        LAYERS.iter().filter(|(layer, _)| exists(layer) && !architecture.contains(&format!("`{layer}/`")));
    missing
        .map(|(layer, _)| {
            let what = format!("the code map lacks `{layer}/`: say what it owns");
            Finding::new("code-map", "ARCHITECTURE.md", 1, what)
        })
        .collect()
}

/// A published crate carries the same licence texts as the root.
fn licenses(folder: &str, files: &[File]) -> Vec<Finding> {
    let differing = LICENSES.iter().filter(|name| {
        let own = find(files, &format!("{folder}/{name}"));
        own.is_none() || own != find(files, name)
    });
    differing
        .map(|name| {
            let what = format!("link it to ../{name}: the package carries its licence");
            Finding::new("license", &format!("{folder}/{name}"), 1, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_long_or_missing_document_is_found() {
        let short = [file("README.md", "a\n"), file("ARCHITECTURE.md", "a\n")];
        assert!(limits(&short).is_empty());
        let long = [file("README.md", &"a\n".repeat(151))];
        assert_eq!(limits(&long).len(), 2);
    }

    #[test]
    fn the_first_program_is_the_example() {
        let readme = format!("Text.\n{FIRST_STARTS}use a::b;\n\nfn main() {{}}\n{FIRST_ENDS}\n");
        let same = "//! The first program.\n#![allow(c)]\n\nuse a::b;\n\nfn main() {}\n";
        assert_eq!(first_program(Some(&readme), Some(same)), None);
        let other = same.replace("a::b", "a::c");
        let finding = first_program(Some(&readme), Some(&other)).expect("they differ");
        assert!(finding.what.contains("use a::c;"), "{finding}");
        assert!(first_program(Some(&readme), Some(&format!("{same}// more\n"))).is_some());
        assert!(first_program(Some("Text.\n"), Some(same)).is_some());
        assert_eq!(first_program(Some(&readme), None).expect("no example").path, FIRST);
    }

    #[test]
    fn the_code_map_names_each_folder_that_exists() {
        let files =
            [file("etcd-client-core/src/model/key.rs", ""), file("etcd-client-core/src/op/get.rs", "")];
        assert!(code_map(Some("`model/` owns keys, `op/` operations"), &files).is_empty());
        assert_eq!(code_map(Some("`model/` owns keys"), &files).len(), 1);
    }

    #[test]
    fn licence_texts_are_the_same_everywhere() {
        let mut files =
            vec![file("LICENSE-MIT", "m"), file("LICENSE-APACHE", "a"), file("c/LICENSE-MIT", "m")];
        assert_eq!(licenses("c", &files)[0].path, "c/LICENSE-APACHE");
        files.push(file("c/LICENSE-APACHE", "changed"));
        assert_eq!(licenses("c", &files).len(), 1);
    }
}
