//! The rule that keeps other crates' types out of public signatures, outside of modules named for them.
//!
//! A textual check: it reads every `pub` item (a restricted `pub(..)` is no public item, and `unreachable_pub` makes
//! sure that a plain one can be reached) and the trait implementations of public types.

use std::collections::BTreeSet;

use super::Finding;
use super::paths::paths;
use super::source::{Source, closing, words};

/// The crates whose types no user should have to name.
const FOREIGN: [&str; 6] = ["tonic", "prost", "h2", "rustls", "tokio_rustls", "hyper"];
/// The crates whose public API is guarded; the messages and stubs of `etcd-proto` are prost's and tonic's by design.
const GUARDED: [&str; 3] = ["etcd-errors", "etcd-client-core", "etcd-concurrency"];

pub(super) fn check(sources: &[Source<'_>]) -> Vec<Finding> {
    let guarded: Vec<_> = sources.iter().filter(|source| is_guarded(source)).collect();
    let public_types: BTreeSet<_> =
        guarded.iter().flat_map(|source| public_types(source.product_code())).collect();
    guarded.iter().flat_map(|source| file(source, &public_types)).collect()
}

fn is_guarded(source: &Source<'_>) -> bool {
    let Some((folder, module)) = source.in_crate() else { return false };
    let mut parts = module.trim_end_matches(".rs").split('/');
    GUARDED.contains(&folder) && !source.is_test() && !parts.any(|part| FOREIGN.contains(&part))
}

fn public_types(code: &str) -> impl Iterator<Item = &str> {
    let mut before = ["", ""];
    words(code).filter_map(move |(_, word)| {
        let [visibility, keyword] = before;
        before = [keyword, word];
        (visibility == "pub" && matches!(keyword, "struct" | "enum")).then_some(word)
    })
}

fn file(source: &Source<'_>, public_types: &BTreeSet<&str>) -> Vec<Finding> {
    let code = source.product_code();
    let imported = imports(code);
    let mut findings = Vec::new();
    for (offset, item) in public_items(code).into_iter().chain(implementations(code, public_types)) {
        for (at, name) in foreign(item, &imported) {
            let what = format!(
                "`{name}` in a public signature: wrap it, or move the item to a module named after that crate"
            );
            findings.push(Finding::new("public-type", source.path, source.line(offset + at), what));
        }
    }
    findings
}

/// The names that `use` brings in from a foreign crate.
fn imports(code: &str) -> BTreeSet<&str> {
    let found = paths(code).into_iter();
    found.filter(|path| FOREIGN.contains(&path.parts[0])).filter_map(|path| path.imported_as).collect()
}

/// Where an item names a foreign crate, or a type imported from one.
fn foreign<'a>(item: &'a str, imported: &BTreeSet<&str>) -> Vec<(usize, &'a str)> {
    let named = words(item).filter(|(offset, word)| {
        let is_crate = FOREIGN.contains(word) && item[offset + word.len()..].starts_with("::");
        let is_part = item[..*offset].ends_with("::");
        (is_crate || imported.contains(word)) && !is_part
    });
    named.collect()
}

/// Each public item from `pub` to where its body, initializer or private part begins.
fn public_items(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (offset, _) in words(code).filter(|(_, word)| *word == "pub") {
        let rest = &code[offset..];
        if rest.starts_with("pub(") {
            continue;
        }
        let mut item = words(rest).map(|(_, word)| word).skip(1);
        let length = match item.find(|word| !matches!(*word, "async" | "extern")) {
            Some("mod") => continue,
            Some("enum" | "trait") => {
                rest.find('{').and_then(|open| closing(rest, open)).unwrap_or(rest.len())
            }
            Some("struct") => until(rest, &['{', '(', ';']),
            Some("fn" | "use" | "type") => until(rest, &['{', ';']).max(use_group(rest)),
            Some("const" | "static") if item.next() != Some("fn") => until(rest, &['=', ';']),
            Some("const") => until(rest, &['{', ';']),
            _ => until(rest, &[',', '}', ')']),
        };
        found.push((offset, &rest[..length]));
    }
    found
}

/// The end of `pub use a::{b, c};`, whose braces are no body.
fn use_group(rest: &str) -> usize {
    if words(rest).nth(1).is_some_and(|(_, word)| word == "use") { until(rest, &[';']) } else { 0 }
}

/// The first of `ends` that stands outside of brackets, generics included. A parameter list is passed over.
fn until(rest: &str, ends: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (offset, c) in rest.char_indices() {
        if depth == 0 && ends.contains(&c) {
            return offset;
        }
        match c {
            '(' | '[' | '<' => depth += 1,
            // The arrow of a return type closes nothing.
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    rest.len()
}

/// The header of each trait implementation whose type is public.
fn implementations<'a>(code: &'a str, public_types: &BTreeSet<&str>) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for (offset, _) in words(code).filter(|(_, word)| *word == "impl") {
        // Only an item starts a line; `impl Trait` in a signature does not.
        if !code[..offset].ends_with('\n') && offset > 0 {
            continue;
        }
        let header = &code[offset..offset + until(&code[offset..], &['{'])];
        let Some((_, implementer)) = header.split_once(" for ") else { continue };
        let path = implementer.split(['<', '{']).next().unwrap_or_default();
        if words(path).last().is_some_and(|(_, name)| public_types.contains(name)) {
            found.push((offset, header));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::File;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let file = File { path: path.into(), text: text.into() };
        check(&[Source::new(&file)]).into_iter().map(|finding| finding.line).collect()
    }

    fn core(text: &str) -> Vec<usize> {
        lines("etcd-client-core/src/client/a.rs", text)
    }

    #[test]
    fn a_foreign_type_in_a_public_item_is_found() {
        assert_eq!(core("pub fn a(\n    b: u8,\n    c: tonic::Status,\n) {}"), [3]);
        assert_eq!(core("pub async fn a() -> Result<(), h2::Error> {}"), [1]);
        assert_eq!(core("pub const fn a() -> prost::B {}"), [1]);
        assert_eq!(core("pub type A = rustls::ClientConfig;"), [1]);
        assert_eq!(core("pub struct A {\n    b: u8,\n    pub c: Option<tonic::Status>,\n}"), [3]);
        assert_eq!(core("pub struct A(pub tonic::Status);"), [1]);
        assert_eq!(core("pub enum A {\n    B(tonic::Status),\n}"), [2]);
        assert_eq!(core("pub trait A {\n    fn b(&self) -> tonic::Status;\n}"), [2]);
        assert_eq!(core("pub use tonic::{Code, Status};"), [1, 1, 1]);
    }

    #[test]
    fn an_imported_name_is_known() {
        assert_eq!(core("use tonic::{Code, Status as Answer};\npub fn a() -> Answer {}"), [2]);
        assert!(core("use crate::Status;\npub fn a() -> Status {}").is_empty());
    }

    #[test]
    fn an_implementation_counts_when_its_type_is_public() {
        let header = "impl From<tonic::Status> for A {}\n";
        assert_eq!(core(&format!("pub struct A;\n{header}")), [2]);
        assert!(core(&format!("pub(crate) struct A;\n{header}")).is_empty());
    }

    #[test]
    fn private_parts_and_bodies_are_free() {
        assert!(core("pub(crate) fn a() -> tonic::Status {}\nfn b() -> h2::C {}").is_empty());
        assert!(core("pub struct A {\n    b: tonic::Status,\n}").is_empty());
        assert!(core("pub struct A(tonic::Status);").is_empty());
        assert!(core("pub fn a() -> u8 {\n    tonic::b()\n}").is_empty());
        assert!(core("pub const A: u8 = h2::B;").is_empty());
        assert!(core("/// Like `tonic::Status`.\npub fn a() -> b::tonic::C {}").is_empty());
    }

    #[test]
    fn modules_named_for_the_crate_and_unguarded_crates_are_free() {
        let text = "pub fn a() -> tonic::Status {}";
        assert!(lines("etcd-errors/src/tonic.rs", text).is_empty());
        assert!(lines("etcd-client-core/src/transport/tonic/stub.rs", text).is_empty());
        assert!(lines("etcd-proto/src/client.rs", text).is_empty());
        assert_eq!(lines("etcd-errors/src/error.rs", text), [1]);
    }
}
