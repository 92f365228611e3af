//! Reads the paths of the client crate that a Rust file names, `use` trees included.
//!
//! The file is split into tokens, not parsed: macro bodies count as well, comments and strings do not. Items behind
//! `#[cfg(test)]` are left out.

use std::str::FromStr as _;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path such as `crate::types::Key`, resolved to start at the crate root or at a foreign crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The parts of the path. A path within the crate starts with `crate`.
    pub(super) parts: Vec<String>,
    pub(super) line: usize,
}

/// Returns every path in the file at `module`, its path below `src`.
///
/// # Errors
///
/// Returns an error if the text is not valid Rust at the level of tokens.
pub(super) fn paths(module: &str, text: &str) -> Result<Vec<Path>> {
    let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("{module}: {error}"))?;
    let parts = module.trim_end_matches(".rs").split('/').filter(|part| !matches!(*part, "mod" | "lib"));
    let mut reader = Reader { module: parts.map(str::to_owned).collect(), found: Vec::new() };
    reader.read(tokens);
    Ok(reader.found)
}

struct Reader {
    /// The module that is being read.
    module: Vec<String>,
    found: Vec<Path>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Punct(punct)
                    if punct.as_char() == '#' && is_test_attribute(tokens.get(at + 1)) =>
                {
                    behind_item(&tokens, at + 2)
                }
                TokenTree::Ident(word) if word == "use" => self.tree(&tokens, at + 1, &[]),
                TokenTree::Ident(_) => self.plain(&tokens, at),
                TokenTree::Group(group) => {
                    self.nested(&tokens, at, group);
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// Reads a group, which is the body of a module if `mod name` precedes it.
    fn nested(&mut self, tokens: &[TokenTree], at: usize, group: &Group) {
        let name = at.checked_sub(2).filter(|start| is_word(&tokens[*start], "mod"));
        let name = name.map(|start| tokens[start + 1].to_string());
        let is_module = name.is_some();
        self.module.extend(name);
        self.read(group.stream());
        if is_module {
            self.module.pop();
        }
    }

    /// Reads `a::b::c` outside of a `use` declaration and returns the index behind it.
    fn plain(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        let start = at;
        let mut parts = Vec::new();
        while let Some(TokenTree::Ident(word)) = tokens.get(at) {
            parts.push(word.to_string());
            at += 1;
            if !is_separator(tokens, at) {
                break;
            }
            at += 2;
        }
        if parts.len() > 1 {
            self.add(parts, &tokens[start]);
        }
        at
    }

    /// Reads one tree of a `use` declaration and returns the index behind it.
    fn tree(&mut self, tokens: &[TokenTree], mut at: usize, prefix: &[String]) -> usize {
        let mut parts = prefix.to_vec();
        let mut last = None;
        while let Some(token) = tokens.get(at) {
            match token {
                _ if is_separator(tokens, at) => at += 2,
                TokenTree::Ident(word) if word == "as" => at += 2,
                TokenTree::Ident(word) => {
                    parts.push(word.to_string());
                    last = Some(token);
                    at += 1;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    last = Some(token);
                    at += 1;
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    self.trees(&group.stream().into_iter().collect::<Vec<_>>(), &parts);
                    return at + 1;
                }
                _ => break,
            }
        }
        if let Some(token) = last {
            self.add(parts, token);
        }
        at
    }

    /// Reads the trees between the braces of a `use` declaration.
    fn trees(&mut self, tokens: &[TokenTree], prefix: &[String]) {
        let mut at = 0;
        while at < tokens.len() {
            // Each tree ends before the comma that separates it from the next one.
            at = self.tree(tokens, at, prefix) + 1;
        }
    }

    /// Resolves leading `self` and `super` and adds the path.
    fn add(&mut self, mut parts: Vec<String>, token: &TokenTree) {
        let climbed = parts.iter().take_while(|part| *part == "super").count();
        let is_own = parts[0] == "self";
        if climbed > 0 || is_own {
            let kept = self.module.len().saturating_sub(climbed);
            let below = parts.split_off(climbed.max(usize::from(is_own)));
            parts =
                ["crate".to_owned()].into_iter().chain(self.module[..kept].to_vec()).chain(below).collect();
        }
        self.found.push(Path { parts, line: token.span().start().line });
    }
}

fn is_word(token: &TokenTree, wanted: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if word == wanted)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
}

fn is_test_attribute(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(attribute)) = token else { return false };
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// Returns the index behind an item, which ends with a block, a semicolon, or for a field with a comma.
fn behind_item(tokens: &[TokenTree], at: usize) -> usize {
    let mut has_generics = false;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return index + 1,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return index + 1,
            TokenTree::Punct(punct) if punct.as_char() == ',' && !has_generics => return index + 1,
            TokenTree::Ident(word) if word == "fn" || word == "impl" => has_generics = true,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(module: &str, code: &str) -> Vec<String> {
        let found = paths(module, code).expect("the code is valid");
        found.iter().map(|path| path.parts.join("::")).collect()
    }

    #[test]
    fn use_trees_and_plain_paths_are_read() {
        let code = "use a::{b, c::{self, d as e}, f::*}; pub use ::g; fn h() -> i::J { k::l(m) }";
        assert_eq!(named("x.rs", code), ["a::b", "a::c::self", "a::c::d", "a::f", "g", "i::J", "k::l"]);
    }

    #[test]
    fn self_and_super_are_resolved() {
        let code = "use super::a; use self::b; mod inner { use super::super::c; }";
        assert_eq!(named("x/y.rs", code), ["crate::x::a", "crate::x::y::b", "crate::x::c"]);
        assert_eq!(named("x/mod.rs", "use super::a;"), ["crate::a"]);
    }

    #[test]
    fn comments_strings_and_tests_are_left_out_and_macros_are_not() {
        let code =
            "// a::b\nfn c() { d!(\"e::f\", g::h); }\n#[cfg(test)]\nmod tests { use i::j; }\nuse k::l;";
        assert_eq!(named("x.rs", code), ["g::h", "k::l"]);
        let field = "struct A<B> {\n    #[cfg(test)]\n    c: d::E,\n    f: g::H,\n}";
        assert_eq!(named("x.rs", field), ["g::H"]);
        assert_eq!(named("x.rs", "#[cfg(test)]\nfn a<B, C>() -> d::E { f::g() }\nuse h::i;"), ["h::i"]);
    }

    #[test]
    fn a_path_has_the_line_of_its_last_part() {
        let found = paths("x.rs", "use a::{\n    b,\n    c::D,\n};").expect("the code is valid");
        assert_eq!(found.iter().map(|path| path.line).collect::<Vec<_>>(), [2, 3]);
    }
}
