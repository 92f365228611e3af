//! What a user of the published crates can name: whether a path such as `etcd_client_core::Put::lease` exists.
//!
//! Read from the sources as text. Re-exports are followed from the crate's root to the definition, so that a name which
//! exists but cannot be reached, or belongs to another type, does not count. What a derive or a trait of another crate
//! adds is not known here: name the type instead.

use std::collections::BTreeMap;

use super::paths::paths;
use super::source::Source;
use crate::workspace::File;

mod items;
mod macros;

use items::{Item, Kind};
use macros::Macros;

/// How many re-exports and globs a name is followed through: more than any crate here has, and an end for circles.
const STEPS: usize = 16;

/// The public API of every crate of the workspace that it was made from.
#[derive(Debug)]
pub(super) struct Api {
    crates: BTreeMap<String, Modules>,
}

/// The items of each module, by its path below the crate's root.
type Modules = BTreeMap<Vec<String>, Vec<Item>>;

/// A module, or an item in one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found<'a> {
    Module(Place),
    Item(Place, &'a Item),
    /// Of a crate that is not ours: it exists, because our crate compiles.
    Foreign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    krate: String,
    module: Vec<String>,
}

impl Api {
    /// Reads the crates in `folders`, whose root modules are `FOLDER/src/lib.rs`.
    pub(super) fn new(files: &[File], folders: &[&str]) -> Self {
        let crates = folders.iter().map(|folder| (folder.replace('-', "_"), modules(files, folder)));
        Self { crates: crates.collect() }
    }

    /// Whether a path begins with the name of one of the crates.
    pub(super) fn knows_crate_of(&self, path: &str) -> bool {
        path.split_once("::").is_some_and(|(krate, _)| self.crates.contains_key(krate))
    }

    /// Why `path` names nothing public; `None` when it does.
    pub(super) fn missing(&self, path: &str) -> Option<String> {
        let mut parts = path.split("::");
        let krate = parts.next().filter(|krate| self.crates.contains_key(*krate));
        let Some(krate) = krate else { return Some("it starts with none of the crates".to_owned()) };
        let mut found = Found::Module(Place { krate: krate.to_owned(), module: Vec::new() });
        let mut so_far = krate.to_owned();
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return Some("it names a crate, and nothing in it".to_owned());
        }
        while let Some(part) = parts.next() {
            let next = match &found {
                Found::Module(place) => self.named(place, part, true, STEPS),
                Found::Item(place, item) if parts.peek().is_none() && self.has_member(place, item, part) => {
                    return None;
                }
                Found::Item(..) | Found::Foreign => None,
            };
            let Some(next) = next else { return Some(format!("`{so_far}` has no public `{part}`")) };
            found = next;
            so_far = format!("{so_far}::{part}");
        }
        None
    }

    /// What `name` means in a module; `public` asks as a user of the crate would.
    fn named(&self, place: &Place, name: &str, public: bool, steps: usize) -> Option<Found<'_>> {
        let steps = steps.checked_sub(1)?;
        let items = self.crates.get(&place.krate)?.get(&place.module)?;
        let visible = || items.iter().filter(|item| item.public || !public);
        let own = visible().find(|item| item.name == name && item.kind != Kind::Module);
        if let Some(item) = own {
            return Some(Found::Item(place.clone(), item));
        }
        let imported = visible().filter(|item| item.kind == Kind::Use).find_map(|item| {
            paths(&item.text).into_iter().find_map(|path| match path.imported_as {
                Some("*") => match self.path(place, &path.parts, steps)? {
                    Found::Module(of) => self.named(&of, name, true, steps),
                    _ => None,
                },
                Some(imported) if imported == name => self.path(place, &path.parts, steps),
                _ => None,
            })
        });
        imported.or_else(|| {
            visible().find(|item| item.name == name && item.kind == Kind::Module)?;
            Some(Found::Module(place.child(name)))
        })
    }

    /// What a path in the source of a module leads to.
    fn path(&self, place: &Place, parts: &[&str], steps: usize) -> Option<Found<'_>> {
        let (last, modules) = parts.split_last()?;
        let mut at = place.clone();
        for (index, part) in modules.iter().enumerate() {
            at = match *part {
                "crate" => at.root(),
                "self" => at,
                "super" => at.parent()?,
                part if self.is_module(&at.child(part)) => at.child(part),
                part => match self.named(&at, part, false, steps) {
                    Some(Found::Module(module)) => module,
                    Some(_) => return None,
                    None if index > 0 => return None,
                    None if self.crates.contains_key(part) => {
                        Place { krate: part.to_owned(), module: Vec::new() }
                    }
                    None => return Some(Found::Foreign),
                },
            };
        }
        match *last {
            "self" => Some(Found::Module(at)),
            last if modules.is_empty() && self.crates.contains_key(last) => {
                Some(Found::Module(Place { krate: last.to_owned(), module: Vec::new() }))
            }
            last => self.named(&at, last, false, steps),
        }
    }

    fn is_module(&self, place: &Place) -> bool {
        self.crates.get(&place.krate).is_some_and(|modules| modules.contains_key(&place.module))
    }

    /// Whether a user can write `item::name`, or reach the field `name`.
    fn has_member(&self, place: &Place, item: &Item, name: &str) -> bool {
        let declared = match item.kind {
            Kind::Struct => items::public_fields(item.body()).contains(&name),
            Kind::Enum => items::variants(item.body()).contains(&name),
            Kind::Trait => return items::items(item.body()).iter().any(|member| member.name == name),
            Kind::Module | Kind::Use | Kind::Impl | Kind::Plain => return false,
        };
        declared || self.inherent(place, item).any(|member| member.public && member.name == name)
    }

    /// What the `impl` blocks of a type declare, wherever in its crate they stand.
    fn inherent<'a>(&'a self, place: &'a Place, item: &'a Item) -> impl Iterator<Item = Item> + 'a {
        let modules = self.crates.get(&place.krate).into_iter().flatten();
        let blocks = modules.flat_map(move |(module, items)| {
            let at = Place { krate: place.krate.clone(), module: module.clone() };
            let of_type = move |block: &&Item| {
                let Some(path) = implementer(block.header()) else { return false };
                path.last() == Some(&item.name.as_str())
                    && self.path(&at, &path, STEPS) == Some(Found::Item(place.clone(), item))
            };
            items.iter().filter(|item| item.kind == Kind::Impl).filter(of_type)
        });
        blocks.flat_map(|block| items::items(block.body()))
    }
}

impl Place {
    fn root(&self) -> Self {
        Self { krate: self.krate.clone(), module: Vec::new() }
    }

    fn parent(&self) -> Option<Self> {
        let (_, module) = self.module.split_last()?;
        Some(Self { krate: self.krate.clone(), module: module.to_vec() })
    }

    fn child(&self, name: &str) -> Self {
        let module = [&self.module[..], &[name.to_owned()]].concat();
        Self { krate: self.krate.clone(), module }
    }
}

/// The parts of the path that follows `impl` and its generics: the type's, where the `impl` is inherent. A trait's path
/// leads to a trait, which has no inherent members.
fn implementer(header: &str) -> Option<Vec<&str>> {
    let mut rest = header.strip_prefix("impl")?.trim_start();
    if rest.starts_with('<') {
        rest = rest[generics(rest)..].trim_start();
    }
    let end = rest.find(|c: char| c == '<' || c.is_whitespace()).unwrap_or(rest.len());
    Some(rest[..end].split("::").collect())
}

/// The length of a list of generic parameters.
fn generics(code: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (offset, c) in code.char_indices() {
        match c {
            '<' => depth += 1,
            // The arrow of a return type closes nothing.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return offset + 1;
        }
        before = c;
    }
    code.len()
}

fn modules(files: &[File], folder: &str) -> Modules {
    let prefix = format!("{folder}/src/");
    let sources: Vec<_> = files
        .iter()
        .filter(|file| file.path.starts_with(&prefix) && file.path.ends_with(".rs"))
        .map(Source::new)
        .collect();
    let mut macros = Macros::default();
    for source in &sources {
        macros.read(&source.code);
    }
    let mut modules = Modules::new();
    for source in &sources {
        let path = source.path[prefix.len()..].trim_end_matches(".rs");
        let parts = path.split('/').filter(|part| !matches!(*part, "mod" | "lib"));
        add(&mut modules, parts.map(str::to_owned).collect(), &macros.expand(&source.code));
    }
    modules
}

/// Adds a module and those that are written inside of it.
fn add(modules: &mut Modules, path: Vec<String>, code: &str) {
    let items = items::items(code);
    for item in items.iter().filter(|item| item.kind == Kind::Module && item.text.contains('{')) {
        let inner = [&path[..], std::slice::from_ref(&item.name)].concat();
        add(modules, inner, item.body());
    }
    modules.insert(path, items);
}

#[cfg(test)]
mod tests;
