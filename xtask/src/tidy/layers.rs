//! The layer rule inside the client crate: a module names modules of its own layer and of lower ones only.

use super::Finding;
use super::paths::{Path, paths};
use super::source::Source;

/// The crate whose folders are layered.
const CRATE: &str = "etcd-client-core";

/// Each folder below `src` and its layer, low to high. A new folder gets its line here and in `ARCHITECTURE.md`.
pub(super) const LAYERS: [(&str, u8); 10] = [
    ("model", 0),
    ("op", 0),
    ("service", 0),
    ("wire", 0),
    ("mechanism", 1),
    ("transport", 2),
    ("remote", 3),
    ("decorator", 4),
    ("client", 5),
    ("helper", 6),
];

/// What a module of the mechanism layer must not reach for: it is handed the time and speaks to nobody.
const IMPURE: [&[&str]; 10] = [
    &["tokio"],
    &["TcpStream"],
    &["TcpListener"],
    &["UdpSocket"],
    &["std", "fs"],
    &["std", "io"],
    &["std", "thread"],
    &["std", "process"],
    &["Instant", "now"],
    &["SystemTime", "now"],
];

pub(super) fn check(source: &Source<'_>) -> Vec<Finding> {
    let Some((CRATE, module)) = source.in_crate() else { return Vec::new() };
    // The root re-exports from every layer.
    if module == "lib.rs" {
        return Vec::new();
    }
    let own = module.split(['/', '.']).next().unwrap_or_default();
    let Some(layer) = layer(own) else {
        let what = format!("`{own}` has no layer: give it one in the table in xtask/src/tidy/layers.rs");
        return vec![Finding::new("layer", source.path, 1, what)];
    };
    let mut findings = upward(source, module, own, layer);
    if own == "mechanism" {
        findings.extend(impure(source));
    }
    findings
}

/// The rest of the path of a file in the folder of a layer.
pub(super) fn below_layer<'a>(source: &Source<'a>) -> Option<&'a str> {
    let (CRATE, module) = source.in_crate()? else { return None };
    let (folder, rest) = module.split_once('/')?;
    layer(folder).map(|_layer| rest)
}

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn upward(source: &Source<'_>, module: &str, own: &str, own_layer: u8) -> Vec<Finding> {
    let depth = depth(module);
    let product = source.product_code().len();
    let mut findings = Vec::new();
    for path in paths(&source.code) {
        // Unit tests sit one module deeper, so that only the crate's own code is resolved through `super`.
        let Some(target) = root_module(&path, (path.offset < product).then_some(depth)) else { continue };
        let what = match layer(target) {
            Some(layer) if layer <= own_layer => continue,
            Some(layer) => format!(
                "`{own}` (layer {own_layer}) names `{target}` (layer {layer}): move the item down, or hand it in"
            ),
            None => format!("`crate::{target}` hides the layer it comes from: name the item by its module"),
        };
        findings.push(Finding::new("layer", source.path, source.line(path.offset), what));
    }
    findings
}

/// How many `super` lead from the module in this file to the crate's root.
fn depth(module: &str) -> usize {
    let parts = module.trim_end_matches(".rs").split('/');
    parts.filter(|part| *part != "mod").count()
}

/// The module of the crate's root that a path names.
fn root_module<'a>(path: &Path<'a>, depth: Option<usize>) -> Option<&'a str> {
    let mut parts = path.parts.iter();
    if path.parts.first() == Some(&"crate") {
        return path.parts.get(1).copied();
    }
    let climbed = parts.by_ref().take_while(|part| **part == "super").count();
    (climbed > 0 && Some(climbed) == depth).then(|| path.parts.get(climbed).copied())?
}

fn impure(source: &Source<'_>) -> Vec<Finding> {
    let code = source.product_code();
    let found = paths(code).into_iter().filter_map(|path| {
        let named = IMPURE.iter().find(|impure| contains(&path.parts, impure))?;
        let what = format!(
            "mechanism is pure and names `{}`: take the time as an argument, leave I/O to the transport",
            named.join("::")
        );
        Some(Finding::new("pure", source.path, source.line(path.offset), what))
    });
    found.collect()
}

/// A path names a crate or a std module by its beginning, and a clock or a socket by the type's name anywhere.
fn contains(parts: &[&str], named: &[&str]) -> bool {
    if named[0].starts_with(char::is_uppercase) {
        parts.windows(named.len()).any(|window| window == named)
    } else {
        parts.starts_with(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::File;

    fn rules(module: &str, text: &str) -> Vec<(&'static str, usize)> {
        let file = File { path: format!("{CRATE}/src/{module}"), text: text.into() };
        let findings = check(&Source::new(&file));
        findings.into_iter().map(|finding| (finding.rule, finding.line)).collect()
    }

    #[test]
    fn downward_and_level_paths_pass() {
        assert_eq!(
            rules("transport/pool.rs", "use crate::{mechanism::pick, model::Key};\ncrate::wire::a();"),
            []
        );
        assert!(rules("op/get.rs", "use crate::service::Kv;").is_empty());
        assert!(rules("lib.rs", "pub use crate::client::Client;").is_empty());
    }

    #[test]
    fn an_upward_path_is_named_with_its_line() {
        assert_eq!(rules("model/key.rs", "//! A.\nuse crate::transport::Pool;"), [("layer", 2)]);
        assert_eq!(
            rules("model/key.rs", "use crate::{\n    op::Get,\n    client::Client,\n};"),
            [("layer", 3)]
        );
        assert_eq!(rules("remote/kv.rs", "fn a() -> crate::decorator::B {}"), [("layer", 1)]);
        assert_eq!(
            rules("model/key.rs", "#[cfg(test)]\nmod tests {\n    use crate::client::A;\n}"),
            [("layer", 3)]
        );
    }

    #[test]
    fn super_does_not_lead_around_the_rule() {
        assert_eq!(rules("model/key.rs", "use super::super::transport::Pool;"), [("layer", 1)]);
        assert_eq!(rules("model/mod.rs", "use super::transport::Pool;"), [("layer", 1)]);
        assert!(rules("model/key.rs", "use super::value::Value;").is_empty());
    }

    #[test]
    fn the_root_and_unknown_folders_hide_the_layer() {
        assert_eq!(rules("model/key.rs", "use crate::Client;"), [("layer", 1)]);
        assert_eq!(rules("stuff/key.rs", ""), [("layer", 1)]);
        assert!(rules("model/key.rs", "// crate::client\nlet a = \"crate::client::B\";").is_empty());
    }

    #[test]
    fn mechanism_reaches_for_no_clock_and_no_io() {
        assert_eq!(rules("mechanism/a.rs", "use tokio::time::sleep;"), [("pure", 1)]);
        assert_eq!(rules("mechanism/a.rs", "fn b() { std::time::Instant::now() }"), [("pure", 1)]);
        assert_eq!(rules("mechanism/a.rs", "use std::{fmt, net::TcpStream};"), [("pure", 1)]);
        assert!(rules("mechanism/a.rs", "use std::net::IpAddr;").is_empty());
        assert!(rules("mechanism/a.rs", "use std::time::Instant;\nfn b(now: Instant) {}").is_empty());
        assert!(rules("mechanism/a.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}").is_empty());
        assert!(rules("transport/a.rs", "use tokio::net::TcpStream;").is_empty());
    }
}
