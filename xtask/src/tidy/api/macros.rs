//! The items that a crate's own `macro_rules!` write, such as the setters that operations share.
//!
//! An invocation is replaced by the body of the first rule that its arguments fit. Patterns with repetitions are
//! not read: their macros still declare what their bodies spell out, but nothing whose name is an argument.

use std::collections::BTreeMap;

use crate::tidy::source::{closing, words};

/// The macros of a crate by name.
#[derive(Debug, Default)]
pub(super) struct Macros {
    rules: BTreeMap<String, Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    pattern: String,
    body: String,
}

impl Macros {
    /// Adds what a file defines.
    pub(super) fn read(&mut self, code: &str) {
        for definition in definitions(code) {
            self.rules.insert(definition.name.to_owned(), rules(&code[definition.open..definition.end]));
        }
    }

    /// The code with each invocation replaced by what it declares, and without the definitions.
    pub(super) fn expand(&self, code: &str) -> String {
        let mut expanded = String::with_capacity(code.len());
        let mut at = 0;
        let defined: BTreeMap<_, _> = definitions(code).map(|found| (found.start, found.end)).collect();
        for (offset, word) in words(code) {
            if offset < at {
                continue;
            }
            let replaced = match defined.get(&offset) {
                Some(end) => Some((*end, String::new())),
                None => self.invocation(code, offset, word),
            };
            if let Some((end, text)) = replaced {
                expanded.push_str(&code[at..offset]);
                expanded.push_str(&text);
                at = end;
            }
        }
        expanded.push_str(&code[at..]);
        expanded
    }

    fn invocation(&self, code: &str, offset: usize, word: &str) -> Option<(usize, String)> {
        let rules = self.rules.get(word)?;
        let arguments = code[offset + word.len()..].strip_prefix('!')?;
        let open = code.len() - arguments.len() + arguments.find(['(', '{', '['])?;
        let end = closing(code, open)?;
        let arguments = &code[open + 1..end - 1];
        let fitting = rules.iter().find_map(|rule| Some((rule, bind(&rule.pattern, arguments)?)));
        let (rule, bound) = fitting.or_else(|| Some((rules.first()?, Vec::new())))?;
        let mut text = rule.body.replace("$crate", "crate");
        for (name, argument) in bound {
            text = substitute(&text, &name, argument);
        }
        Some((end, text))
    }
}

struct Definition<'a> {
    name: &'a str,
    start: usize,
    open: usize,
    end: usize,
}

fn definitions(code: &str) -> impl Iterator<Item = Definition<'_>> {
    words(code).filter(|(_, word)| *word == "macro_rules").filter_map(|(start, word)| {
        let name = words(&code[start + word.len()..]).next()?.1;
        let open = start + code[start..].find('{')?;
        Some(Definition { name, start, open, end: closing(code, open)? })
    })
}

/// The rules between a definition's braces: a bracketed pattern, an arrow, a bracketed body.
fn rules(definition: &str) -> Vec<Rule> {
    let mut found = Vec::new();
    let mut at = 1;
    while let Some((pattern, behind)) = bracketed(definition, at) {
        let Some((body, behind)) = bracketed(definition, behind) else { break };
        found.push(Rule { pattern: pattern.to_owned(), body: body.to_owned() });
        at = behind;
    }
    found
}

fn bracketed(code: &str, from: usize) -> Option<(&str, usize)> {
    let open = from + code[from..].find(['(', '{', '['])?;
    let end = closing(code, open)?;
    Some((&code[open + 1..end - 1], end))
}

/// The arguments by their names in the pattern; `None` when they do not fit or the pattern repeats something.
fn bind<'a>(mut pattern: &str, mut arguments: &'a str) -> Option<Vec<(String, &'a str)>> {
    let mut bound = Vec::new();
    loop {
        (pattern, arguments) = (pattern.trim_start(), arguments.trim_start());
        if let Some(fragment) = pattern.strip_prefix('$') {
            let (name, behind) = fragment.split_once(':')?;
            let length = behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len());
            pattern = &behind[length..];
            let end = match &behind[..length] {
                "ident" => arguments.find(|c: char| !c.is_alphanumeric() && c != '_'),
                _ => pattern.trim_start().chars().next().and_then(|until| arguments.find(until)),
            };
            let end = end.unwrap_or(arguments.len());
            bound.push((name.to_owned(), arguments[..end].trim_end()));
            arguments = &arguments[end..];
        } else {
            match (pattern.chars().next(), arguments.chars().next()) {
                (None, None | Some(',' | ';')) => return Some(bound),
                (expected, found) if expected == found => {}
                _ => return None,
            }
            let length = pattern.chars().next().map_or(0, char::len_utf8);
            (pattern, arguments) = (&pattern[length..], &arguments[length..]);
        }
    }
}

/// Puts `argument` wherever `$name` stands as a whole word.
fn substitute(text: &str, name: &str, argument: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    for (offset, word) in words(text) {
        if word == name && text[..offset].ends_with('$') {
            replaced.push_str(&text[at..offset - 1]);
            replaced.push_str(argument);
            at = offset + word.len();
        }
    }
    replaced.push_str(&text[at..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(definitions: &str, code: &str) -> String {
        let mut macros = Macros::default();
        macros.read(definitions);
        macros.expand(code).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn arguments_take_the_places_of_their_names() {
        let definition = "macro_rules! bind { ($op:ident, $spec:ident => $to:ident.$by:ident) => { impl $op { fn a($crate::$spec, $ops) } }; }";
        assert_eq!(
            expand(definition, "bind!(Get, GetSpec => Kv.get);"),
            "impl Get { fn a(crate::GetSpec, $ops) } ;"
        );
    }

    #[test]
    fn the_rule_that_fits_is_taken() {
        let definition =
            "macro_rules! a { ($b:ident) => { one $b }; ($b:ident as $c:ident) => { two $b $c } }";
        assert_eq!(expand(definition, "a!(x); a!(x as y);"), "one x ; two x y ;");
    }

    #[test]
    fn a_repeating_pattern_gives_the_body_as_it_stands() {
        let definition = "macro_rules! a { ($($b:ident).+) => { pub fn c() { $($b).+ } } }";
        assert_eq!(expand(definition, "impl X { a!(d.e); }"), "impl X { pub fn c() { $($b).+ } ; }");
    }

    #[test]
    fn definitions_declare_nothing_themselves() {
        let code = "mod a; macro_rules! b { () => { fn c() {} } } mod d;";
        assert_eq!(expand(code, code), "mod a; mod d;");
        assert_eq!(expand("", "other!(a);"), "other!(a);");
    }
}
