//! Rules on words and characters: what must open a file, and what must not stand in one.

use std::path::Path;

use super::Finding;
use super::layers;
use super::source::{Source, line_of, words};
use crate::workspace::File;

/// Marks of unfinished work, spelled in parts so that this file does not trip over itself.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Macros that stand for unfinished work.
const UNFINISHED: [&str; 3] = ["dbg", "todo", "unimplemented"];
/// Module names that say nothing about what the module owns.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "types"];
/// Folders in which people keep checkouts; a path into one holds on one machine only.
const HOMES: [&str; 3] = [concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/")];

/// The folders of the machine that runs the check, which no file may name.
pub(super) fn own_paths(root: &Path, home: Option<&Path>) -> Vec<String> {
    // A path of one part, such as `/src`, is a word that a text may use for another reason.
    let telling = |path: &&Path| path.components().count() > 2;
    let paths = [Some(root), home].into_iter().flatten().filter(telling);
    paths.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Rules that hold for every text file.
pub(super) fn check_text(file: &File, own_paths: &[String]) -> Vec<Finding> {
    // Texts of others stay as they are, and so does what is generated from them.
    if file.path.ends_with(".proto") || file.path.contains("LICENSE") || file.is_generated() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut found = |rule, what: String| {
            findings.push(Finding::new(rule, &file.path, index + 1, what));
        };
        if line.ends_with([' ', '\t']) {
            found("whitespace", "remove the space at the end of the line".to_owned());
        }
        if file.path.ends_with(".rs") && line.contains('\t') {
            found("whitespace", "indent with spaces; write `\\t` for a tab in a literal".to_owned());
        }
        if let Some((_, mark)) = words(line).find(|(_, word)| MARKS.contains(word)) {
            found("unfinished", format!("`{mark}`: finish it, or open an issue and remove the mark"));
        }
        if let Some(path) = machine_path(line, own_paths) {
            found("machine-path", format!("`{path}` exists on one machine only: name it from the root"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        findings.push(Finding::new("whitespace", &file.path, last, "end the file with a line break"));
    }
    findings
}

fn machine_path<'a>(line: &str, own_paths: &'a [String]) -> Option<&'a str> {
    let own = own_paths.iter().map(String::as_str).find(|path| line.contains(path));
    own.or_else(|| HOMES.into_iter().find(|home| absolute(line, home)))
}

/// Whether `path` stands in the line as the beginning of a path rather than inside one.
fn absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(offset, _)| {
        let before = line[..offset].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/}>".contains(c))
    })
}

/// Rules that hold for Rust files which people write.
pub(super) fn check_source(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.text.starts_with("//! ") {
        let what = "open the file with a `//!` line that says what it owns";
        findings.push(Finding::new("header", source.path, 1, what));
    }
    // The folder of a layer is named after the layer, which `layers` judges.
    let named = layers::below_layer(source).unwrap_or(source.path);
    let parts = named.trim_end_matches(".rs").split('/');
    if let Some(name) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
        let what = format!("`{name}` does not say what the module owns: name it after its concept");
        findings.push(Finding::new("name", source.path, 1, what));
    }
    for (offset, word) in words(&source.code) {
        let next = source.code[offset + word.len()..].chars().next();
        let line = || line_of(source.text, offset);
        if next == Some('!') && UNFINISHED.contains(&word) {
            let what = format!("`{word}!` does not belong into a commit");
            findings.push(Finding::new("unfinished", source.path, line(), what));
        }
        if word == "unsafe" {
            let what = "no `unsafe` in this workspace: find the crate that carries it";
            findings.push(Finding::new("unsafe", source.path, line(), what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let file = File { path: path.into(), text: text.into() };
        let own = vec!["/builds/checkout".to_owned()];
        check_text(&file, &own).into_iter().map(|finding| (finding.rule, finding.line)).collect()
    }

    fn source_rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let file = File { path: path.into(), text: text.into() };
        let findings = check_source(&Source::new(&file));
        findings.into_iter().map(|finding| (finding.rule, finding.line)).collect()
    }

    #[test]
    fn whitespace_is_found() {
        assert_eq!(text_rules("a.md", "a \nb\n"), [("whitespace", 1)]);
        assert_eq!(text_rules("a.rs", "a\n\tb\n"), [("whitespace", 2)]);
        assert_eq!(text_rules("a.rs", "a\nb"), [("whitespace", 2)]);
        assert!(text_rules("go.mod", "a (\n\tb\n)\n").is_empty());
    }

    #[test]
    fn marks_are_found_as_whole_words() {
        let text = format!("a\n// {} later\nmktemp {}XX\n", MARKS[0], MARKS[2]);
        assert_eq!(text_rules("a.sh", &text), [("unfinished", 2)]);
    }

    #[test]
    fn machine_paths_are_found() {
        let home = HOMES[0];
        let text = format!("cd {home}me\nsee https://example.org{home}page\nls /builds/checkout/a\n");
        assert_eq!(text_rules("a.md", &text), [("machine-path", 1), ("machine-path", 3)]);
    }

    #[test]
    fn a_short_root_is_no_machine_path() {
        assert_eq!(own_paths(Path::new("/src"), Some(Path::new("/a/b"))), ["/a/b"]);
    }

    #[test]
    fn a_file_opens_with_what_it_owns() {
        assert!(source_rules("a.rs", "//! Owns a.\n").is_empty());
        assert_eq!(source_rules("a.rs", "use b;\n"), [("header", 1)]);
    }

    #[test]
    fn empty_names_are_found_in_files_and_folders() {
        assert_eq!(source_rules("a/src/utils.rs", "//! A.\n"), [("name", 1)]);
        assert_eq!(source_rules("a/src/common/b.rs", "//! A.\n"), [("name", 1)]);
        assert!(source_rules("a/src/commonly.rs", "//! A.\n").is_empty());
        assert!(source_rules("etcd-client-core/src/helper/b.rs", "//! A.\n").is_empty(), "a layer");
        assert_eq!(source_rules("etcd-client-core/src/helper/helper.rs", "//! A.\n"), [("name", 1)]);
        assert_eq!(source_rules("etcd-client-core/src/helper.rs", "//! A.\n"), [("name", 1)]);
    }

    #[test]
    fn unfinished_and_unsafe_code_is_found_outside_of_literals() {
        let text = "//! A todo!() and unsafe code.\nfn a() { todo!() }\nlet b = \"dbg!(c)\";\nunsafe { d }\n";
        assert_eq!(source_rules("a.rs", text), [("unfinished", 2), ("unsafe", 4)]);
        assert!(source_rules("a.rs", "//! A.\n#![forbid(unsafe_code)]\n").is_empty());
    }
}
