//! Derives the suites worth asking from the system's own package sources.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};

use super::Suite;

/// Suites that hold an etcd of some line, or a newer Go, per distribution; the system's own comes first.
const DEBIAN: [&str; 4] = ["bookworm", "trixie", "forky", "sid"];
const UBUNTU: [&str; 4] = ["noble", "plucky", "questing", "resolute"];

/// An archive from which the system takes its own suite.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Archive {
    uri: String,
    /// Lines of a deb822 stanza, such as `Signed-By`.
    options: Vec<String>,
}

pub(super) fn suites() -> anyhow::Result<Vec<Suite>> {
    let release = fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
    let own = value(&release, "VERSION_CODENAME").context("the system names no suite")?;
    let others: &[&str] = match value(&release, "ID").as_deref() {
        Some("ubuntu") => &UBUNTU,
        _ => &DEBIAN,
    };
    let archives = archives(Path::new("/etc/apt"), &own);
    ensure!(!archives.is_empty(), "apt's sources name no archive with {own}");
    let names = [own.as_str()].into_iter().chain(others.iter().copied().filter(|name| *name != own));
    Ok(names.map(|name| suite(name, &archives)).collect())
}

fn value(release: &str, key: &str) -> Option<String> {
    let text = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(text.trim_matches('"').to_owned()).filter(|text| !text.is_empty())
}

fn suite(name: &str, archives: &[Archive]) -> Suite {
    let stanzas = archives.iter().map(|archive| {
        let options: String = archive.options.iter().map(|line| format!("{line}\n")).collect();
        format!("Types: deb\nURIs: {}\nSuites: {name}\nComponents: main universe\n{options}\n", archive.uri)
    });
    Suite { name: name.to_owned(), source: stanzas.collect() }
}

fn archives(etc: &Path, own: &str) -> Vec<Archive> {
    let parts =
        fs::read_dir(etc.join("sources.list.d")).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = [etc.join("sources.list")].into_iter().chain(parts);
    let mut found = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => found.extend(text.lines().filter_map(|line| one_line(line, own))),
            Some("sources") => found.extend(text.split("\n\n").filter_map(|stanza| deb822(stanza, own))),
            _ => {}
        }
    }
    found.dedup();
    found
}

/// `deb [signed-by=/a/key] scheme://host/path suite main`.
fn one_line(line: &str, own: &str) -> Option<Archive> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    let key = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
    let options = key.map(|key| format!("Signed-By: {key}")).into_iter().collect();
    (suite == own && words.any(|component| component == "main"))
        .then(|| Archive { uri: uri.to_owned(), options })
}

fn deb822(stanza: &str, own: &str) -> Option<Archive> {
    let stanza: Vec<&str> = stanza.lines().filter(|line| !line.starts_with('#')).collect();
    let field = |name: &str| stanza.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let has =
        |name: &str, word: &str| field(name).is_some_and(|text| text.split_whitespace().any(|w| w == word));
    let wanted = has("Types", "deb") && has("Suites", own) && has("Components", "main");
    let uri = field("URIs")?.split_whitespace().next()?.to_owned();
    // An embedded key continues on indented lines.
    let key = stanza.iter().skip_while(|line| !line.starts_with("Signed-By:"));
    let key = key.enumerate().take_while(|(at, line)| *at == 0 || line.starts_with(' '));
    let options = key.map(|(_, line)| (*line).to_owned()).collect();
    wanted.then_some(Archive { uri, options })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_format_is_read() {
        let line = "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib";
        let archive = one_line(line, "bookworm").unwrap();
        assert_eq!(archive.uri, "http://mirror.test/debian");
        assert_eq!(archive.options, ["Signed-By: /k.gpg"]);
        assert_eq!(one_line(line, "trixie"), None);
        assert_eq!(one_line("deb http://other.test/x bookworm stable", "bookworm"), None);
        assert_eq!(one_line("# deb http://mirror.test/debian bookworm main", "bookworm"), None);
    }

    #[test]
    fn the_new_format_is_read_with_an_embedded_key() {
        let stanza = "Types: deb\n# a remark\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\n\
                      Components: main\nSigned-By:\n -----BEGIN\n .\n -----END\nEnabled: yes";
        let archive = deb822(stanza, "bookworm").unwrap();
        assert_eq!(archive.uri, "http://mirror.test/debian");
        assert_eq!(archive.options, ["Signed-By:", " -----BEGIN", " .", " -----END"]);
        assert_eq!(deb822(stanza, "sid"), None);
    }

    #[test]
    fn other_suites_are_asked_at_the_same_archive() {
        let archive =
            Archive { uri: "http://mirror.test/debian".into(), options: vec!["Signed-By: /k.gpg".into()] };
        let suite = suite("trixie", &[archive]);
        assert!(suite.source.contains("URIs: http://mirror.test/debian\nSuites: trixie\n"));
        assert!(suite.source.contains("\nSigned-By: /k.gpg\n"));
    }
}
