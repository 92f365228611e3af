//! The paths that a piece of code names, with the trees of `use` declarations spelled out.

use super::source::words;

/// A path such as `crate::model::Key`, and where its last part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) offset: usize,
    pub(super) parts: Vec<&'a str>,
    /// Whether a `use` declaration brings the last part into scope, and under which name.
    pub(super) imported_as: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Separator,
    Other(char),
}

/// Every path of at least two parts, and every import.
pub(super) fn paths(code: &str) -> Vec<Path<'_>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = match tokens[at].1 {
            Token::Word("use") => tree(&tokens, at + 1, &[], &mut found),
            Token::Word(_) => plain(&tokens, at, &mut found),
            _ => at + 1,
        };
    }
    found
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut words = words(code).peekable();
    while at < code.len() {
        if let Some((start, word)) = words.next_if(|(start, _)| *start == at) {
            tokens.push((start, Token::Word(word)));
            at += word.len();
            continue;
        }
        let c = code[at..].chars().next().expect("at lies on a character inside the code");
        if code[at..].starts_with("::") {
            tokens.push((at, Token::Separator));
            at += 2;
            continue;
        }
        if !c.is_whitespace() {
            tokens.push((at, Token::Other(c)));
        }
        at += c.len_utf8();
    }
    tokens
}

fn token<'a>(tokens: &[(usize, Token<'a>)], at: usize) -> Option<Token<'a>> {
    tokens.get(at).map(|(_, token)| *token)
}

/// Reads `a::b::c` outside of a `use`; returns the index behind it.
fn plain<'a>(tokens: &[(usize, Token<'a>)], mut at: usize, found: &mut Vec<Path<'a>>) -> usize {
    let offset = tokens[at].0;
    let mut parts = Vec::new();
    while let Some(Token::Word(word)) = token(tokens, at) {
        parts.push(word);
        at += 1;
        if token(tokens, at) != Some(Token::Separator) {
            break;
        }
        at += 1;
    }
    if parts.len() > 1 {
        found.push(Path { offset, parts, imported_as: None });
    }
    at
}

/// Reads one tree of a `use` declaration; returns the index behind it.
fn tree<'a>(
    tokens: &[(usize, Token<'a>)],
    mut at: usize,
    prefix: &[&'a str],
    found: &mut Vec<Path<'a>>,
) -> usize {
    let mut parts = prefix.to_vec();
    let mut offset = tokens.get(at).map_or(0, |(offset, _)| *offset);
    loop {
        match token(tokens, at) {
            Some(Token::Separator) => at += 1,
            Some(Token::Other('{')) => return group(tokens, at + 1, &parts, found),
            Some(Token::Other('*')) => {
                found.push(Path { offset, parts, imported_as: Some("*") });
                return at + 1;
            }
            Some(Token::Word("as")) => {
                let Some(Token::Word(name)) = token(tokens, at + 1) else { return at + 1 };
                found.push(Path { offset, parts, imported_as: Some(name) });
                return at + 2;
            }
            Some(Token::Word(word)) => {
                parts.push(word);
                offset = tokens[at].0;
                at += 1;
            }
            _ => {
                let imported_as = parts.last().copied();
                if parts.len() > prefix.len() {
                    found.push(Path { offset, parts, imported_as });
                }
                return at;
            }
        }
    }
}

/// Reads the trees between braces; returns the index behind the closing one.
fn group<'a>(
    tokens: &[(usize, Token<'a>)],
    mut at: usize,
    prefix: &[&'a str],
    found: &mut Vec<Path<'a>>,
) -> usize {
    loop {
        at = tree(tokens, at, prefix, found);
        match token(tokens, at) {
            Some(Token::Other(',')) => at += 1,
            Some(Token::Other('}')) => return at + 1,
            _ => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str) -> Vec<String> {
        paths(code).iter().map(|path| path.parts.join("::")).collect()
    }

    #[test]
    fn trees_are_spelled_out() {
        let code = "use a::{b, c::{self, d as e}, f::*}; pub use ::g; fn h() -> i::J { k::l(m) }";
        assert_eq!(named(code), ["a::b", "a::c::self", "a::c::d", "a::f", "g", "i::J", "k::l"]);
    }

    #[test]
    fn an_import_knows_its_name_in_scope() {
        let found = paths("use a::{b as c, D,};\nlet x = e::f();");
        let names: Vec<_> = found.iter().map(|path| path.imported_as).collect();
        assert_eq!(names, [Some("c"), Some("D"), None]);
    }

    #[test]
    fn a_path_stands_where_its_own_part_does() {
        let code = "use crate::{\n    a,\n    b::C,\n};";
        let found = paths(code);
        assert_eq!(code[..found[1].offset].lines().count(), 3);
    }
}
