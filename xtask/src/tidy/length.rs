//! Rules on size: how long a file and a function may grow before they hold more than one thing.

use super::Finding;
use super::source::{Source, closing, words};

/// Lines of a file, tests left out, from which the file should be looked at.
const FILE_WARN: usize = 500;
/// Lines of a file, tests left out, from which the check fails.
const FILE_FAIL: usize = 800;
/// Lines of a function, signature included, from which the check fails.
const FUNCTION_FAIL: usize = 80;

pub(super) fn check(source: &Source<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = file(source).into_iter().collect();
    let code = source.product_code();
    for (offset, length, name) in functions(code) {
        if length >= FUNCTION_FAIL {
            let what = format!(
                "`{name}` has {length} lines (limit {FUNCTION_FAIL}): one function per step or state"
            );
            findings.push(Finding::new("function-length", source.path, source.line(offset), what));
        }
    }
    findings
}

fn file(source: &Source<'_>) -> Option<Finding> {
    let lines = source.product_code().lines().count();
    let what = |limit| format!("{lines} lines without the tests (limit {limit}): one concept a file");
    if lines >= FILE_FAIL {
        Some(Finding::new("file-length", source.path, 1, what(FILE_FAIL)))
    } else if lines >= FILE_WARN {
        Some(Finding::warning("file-length", source.path, 1, what(FILE_WARN)))
    } else {
        None
    }
}

/// Offset, number of lines and name of every function with a body.
fn functions(code: &str) -> Vec<(usize, usize, &str)> {
    let mut found = Vec::new();
    let mut words = words(code).peekable();
    while let Some((offset, word)) = words.next() {
        let Some((at, name)) = words.peek().copied().filter(|_| word == "fn") else { continue };
        // `fn(u8)` is a type.
        if !code[offset + word.len()..at].trim().is_empty() {
            continue;
        }
        let Some(end) = body(code, offset).and_then(|open| closing(code, open)) else { continue };
        found.push((offset, code[offset..end].lines().count(), name));
    }
    found
}

/// The opening brace of the function at `offset`; none for a declaration.
fn body(code: &str, offset: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(offset) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::File;

    fn rules(text: String) -> Vec<(&'static str, usize, bool)> {
        let file = File { path: "a/src/b.rs".into(), text };
        let findings = check(&Source::new(&file));
        findings.into_iter().map(|finding| (finding.rule, finding.line, finding.warning)).collect()
    }

    #[test]
    fn a_long_file_warns_then_fails() {
        assert!(rules("//\n".repeat(FILE_WARN - 1)).is_empty());
        assert_eq!(rules("//\n".repeat(FILE_WARN)), [("file-length", 1, true)]);
        assert_eq!(rules("//\n".repeat(FILE_FAIL)), [("file-length", 1, false)]);
    }

    #[test]
    fn tests_do_not_count() {
        let text = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "//\n".repeat(FILE_FAIL));
        assert!(rules(text).is_empty());
    }

    #[test]
    fn a_long_function_fails_and_is_named_by_its_first_line() {
        let body = "    b();\n".repeat(FUNCTION_FAIL - 2);
        assert_eq!(rules(format!("//!\n\nfn a(b: [u8; 2]) {{\n{body}}}\n")), [("function-length", 3, false)]);
        let body = "    b();\n".repeat(FUNCTION_FAIL - 3);
        assert!(rules(format!("//!\n\nfn a(b: [u8; 2]) {{\n{body}}}\n")).is_empty());
    }

    #[test]
    fn a_declaration_has_no_body() {
        let names: Vec<_> = functions("trait A { fn b(&self); fn c() { d } } struct E { f: fn(u8), g: u8 }");
        assert_eq!(names.iter().map(|(_, _, name)| *name).collect::<Vec<_>>(), ["c"]);
    }
}
