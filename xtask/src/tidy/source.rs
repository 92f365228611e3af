//! A Rust file as the rules see it: its text, and its code with comments and literals blanked out.
//!
//! This is a scanner, not a parser. It keeps every byte offset and every line break, so that a rule can search
//! the code without being fooled by what a string or a comment says, and still name the line.

use crate::workspace::File;

/// A Rust file and its blanked code.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    /// `text` with the contents of comments and literals replaced by spaces; the same length in bytes.
    pub(super) code: String,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        Self { path: &file.path, text: &file.text, code: blank(&file.text) }
    }

    /// Whether the whole file is test code.
    pub(super) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.contains("/benches/") || self.path.ends_with("/tests.rs")
    }

    /// The code in front of the unit tests.
    pub(super) fn product_code(&self) -> &str {
        let end = if self.is_test() { 0 } else { tests_start(&self.code).unwrap_or(self.code.len()) };
        &self.code[..end]
    }

    /// The line of a byte offset, counted from one.
    pub(super) fn line(&self, offset: usize) -> usize {
        line_of(self.text, offset)
    }

    /// The name of the crate's folder and the path below its `src`, for files that lie in one.
    pub(super) fn in_crate(&self) -> Option<(&'a str, &'a str)> {
        self.path.split_once("/src/")
    }
}

/// The line of a byte offset, counted from one.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Each identifier or keyword of the code with its offset.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + code[rest..].find(is_word)?;
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |length| start + length);
        rest = end;
        Some((start, &code[start..end]))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The offset just past the bracket that closes the one at `open`.
pub(super) fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.checked_sub(1)?,
            _ => continue,
        }
        if depth == 0 {
            return Some(offset + 1);
        }
    }
    None
}

/// Where the in-file test module begins: a `mod` with a body behind `#[cfg(test)]`.
fn tests_start(code: &str) -> Option<usize> {
    code.match_indices("#[cfg(test)]").map(|(offset, _)| offset).find(|offset| {
        let after = skip_attributes(code[*offset..].trim_start_matches("#[cfg(test)]"));
        let module = after.strip_prefix("pub(crate) ").unwrap_or(after);
        module.starts_with("mod ") && module.find('{') < module.find(';').or(Some(usize::MAX))
    })
}

fn skip_attributes(code: &str) -> &str {
    let code = code.trim_start();
    match code.strip_prefix("#") {
        Some(attribute) => closing(attribute, 0).map_or("", |end| skip_attributes(&attribute[end..])),
        None => code,
    }
}

/// Replaces what comments and literals contain by spaces, byte for byte.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = opaque_end(bytes, at);
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).expect("multi-byte characters are blanked whole or left whole")
}

/// The end of the comment or literal that starts at `at`; `at` itself when none does.
fn opaque_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let behind_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment(rest);
    }
    match rest[0] {
        b'"' => at + quoted(rest, b'"'),
        b'\'' => at + character(rest),
        b'r' if !behind_word => at + raw_string(rest).unwrap_or(0),
        b'b' if !behind_word && rest.get(1) == Some(&b'r') => {
            at + raw_string(&rest[1..]).map_or(0, |length| length + 1)
        }
        _ => at,
    }
}

/// The length of a block comment, nested ones included.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let step = match rest.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                2
            }
            Some(b"*/") => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at.min(rest.len())
}

/// The length of a literal that ends at the next unescaped quote.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal; zero for a lifetime.
fn character(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]);
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => quoted(rest, b'\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// The length of `r"…"` or `r#"…"#`.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), "#".repeat(hashes).as_bytes()].concat();
    let body = 2 + hashes;
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| body + end + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_offsets_stay() {
        let text =
            "a /* b /* c */ d */ e // f\n\"g\\\" h\" i 'j' '\\n' r#\"k \" l\"# br\"m\" 'n: é \"é\" 'é' o";
        let code = blank(text);
        assert_eq!(code.len(), text.len());
        let kept: Vec<_> = code.split_whitespace().collect();
        assert_eq!(kept, ["a", "e", "i", "'n:", "é", "o"]);
        assert_eq!(line_of(text, text.find(" i ").unwrap()), 2);
    }

    #[test]
    fn words_are_identifiers_with_their_place() {
        let found: Vec<_> = words("use a_b::C;").collect();
        assert_eq!(found, [(0, "use"), (4, "a_b"), (9, "C")]);
    }

    #[test]
    fn product_code_ends_at_the_test_module_only() {
        let file = |text: &str| File { path: "x/src/a.rs".into(), text: text.into() };
        let inline = file("fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n}");
        assert_eq!(Source::new(&inline).product_code(), "fn a() {}\n");
        let elsewhere = file("#[cfg(test)]\nmod tests;\nfn a() {}");
        assert_eq!(Source::new(&elsewhere).product_code(), elsewhere.text);
        let gated = file("#[cfg(test)]\nuse a::b;\nfn a() {}");
        assert_eq!(Source::new(&gated).product_code(), gated.text);
    }
}
