//! The items of a piece of blanked code: what a module, an `impl` or a trait declares, in order and without a parser.

use crate::tidy::source::{closing, words};

/// What kind of item it is, as far as a path can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Struct,
    Enum,
    Trait,
    Module,
    Use,
    Impl,
    /// A function, a constant, an alias: nothing lies inside of it.
    Plain,
}

/// One item. Those behind `#[cfg(test)]` are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// A plain `pub`; a restricted one is private to a user.
    pub(super) public: bool,
    pub(super) kind: Kind,
    /// Empty for `use` and `impl`.
    pub(super) name: String,
    /// All of it, from its keyword on.
    pub(super) text: String,
}

impl Item {
    /// What stands in the item's braces.
    pub(super) fn body(&self) -> &str {
        let Some(open) = self.text.find('{') else { return "" };
        let end = closing(&self.text, open).unwrap_or(self.text.len());
        self.text[open..end].trim_start_matches('{').trim_end_matches('}')
    }

    /// What stands in front of the item's braces.
    pub(super) fn header(&self) -> &str {
        self.text.split('{').next().unwrap_or_default()
    }
}

/// Every item of `code`, whose comments and literals are blank.
pub(super) fn items(code: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while !rest.is_empty() {
        let (start, for_tests) = skip_attributes(rest);
        let (start, public) = skip_visibility(start);
        let end = end_of_item(start);
        if !for_tests && let Some((kind, name)) = head(start) {
            found.push(Item { public, kind, name: name.to_owned(), text: start[..end].to_owned() });
        }
        rest = start[end..].trim_start();
    }
    found
}

/// The names of an enum's variants.
pub(super) fn variants(body: &str) -> Vec<&str> {
    let segments = segments(body).into_iter().map(|segment| skip_attributes(segment).0);
    segments.filter_map(|segment| words(segment).next().map(|(_, name)| name)).collect()
}

/// The names of a struct's public fields.
pub(super) fn public_fields(body: &str) -> Vec<&str> {
    let segments = segments(body).into_iter().map(|segment| skip_visibility(skip_attributes(segment).0));
    let public = segments.filter(|(_, public)| *public);
    public.filter_map(|(field, _)| words(field).next().map(|(_, name)| name)).collect()
}

/// Kind and name of the item that starts here; `None` for what declares nothing.
fn head(code: &str) -> Option<(Kind, &str)> {
    let mut words = words(code).map(|(_, word)| word).peekable();
    let mut keyword = words.next()?;
    while matches!(keyword, "async" | "extern" | "default")
        || (keyword == "const" && words.peek() == Some(&"fn"))
    {
        keyword = words.next()?;
    }
    let kind = match keyword {
        "struct" => Kind::Struct,
        "enum" => Kind::Enum,
        "trait" => Kind::Trait,
        "mod" => Kind::Module,
        "use" => return Some((Kind::Use, "")),
        "impl" => return Some((Kind::Impl, "")),
        "fn" | "const" | "static" | "type" => Kind::Plain,
        _ => return None,
    };
    Some((kind, words.next()?))
}

/// Where the item that starts here ends: behind its semicolon, or behind the braces of its body.
fn end_of_item(code: &str) -> usize {
    let first = words(code).next().map_or("", |(_, word)| word);
    // Braces inside of these are no body.
    let only_semicolon = matches!(first, "use" | "const" | "static" | "type") && !is_const_fn(code);
    let mut at = 0;
    while let Some(offset) = code[at..].find(['{', '(', '[', ';', '}']) {
        let place = at + offset;
        match code.as_bytes()[place] {
            b';' | b'}' => return place + 1,
            bracket => {
                at = closing(code, place).unwrap_or(code.len());
                if bracket == b'{' && !only_semicolon {
                    return at;
                }
            }
        }
    }
    code.len()
}

fn is_const_fn(code: &str) -> bool {
    words(code).nth(1).is_some_and(|(_, word)| word == "fn" || word == "async")
}

/// The code behind the attributes, and whether they keep it for tests.
fn skip_attributes(code: &str) -> (&str, bool) {
    let mut rest = code.trim_start();
    let mut for_tests = false;
    while let Some(attribute) = rest.strip_prefix('#') {
        let open = attribute.find('[').unwrap_or(0);
        let end = closing(attribute, open).unwrap_or(attribute.len());
        for_tests |= attribute[..end].starts_with("[cfg(test)]");
        rest = attribute[end..].trim_start();
    }
    (rest, for_tests)
}

fn skip_visibility(code: &str) -> (&str, bool) {
    let Some(rest) = code.strip_prefix("pub").filter(|rest| rest.starts_with([' ', '\n', '('])) else {
        return (code, false);
    };
    // A tuple in a tuple struct never gets here: only items and named fields are asked about.
    match rest.strip_prefix('(') {
        Some(_) => (rest[closing(rest, 0).unwrap_or(rest.len())..].trim_start(), false),
        None => (rest.trim_start(), true),
    }
}

/// The parts between the commas that stand outside of brackets.
fn segments(body: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(offset) = body[at..].find(['{', '(', '[', ',']) {
        let place = at + offset;
        if body.as_bytes()[place] == b',' {
            found.push(&body[start..place]);
            (start, at) = (place + 1, place + 1);
        } else {
            at = closing(body, place).unwrap_or(body.len());
        }
    }
    found.push(&body[start..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str) -> Vec<(bool, Kind, String)> {
        items(code).into_iter().map(|item| (item.public, item.kind, item.name)).collect()
    }

    fn item(public: bool, kind: Kind, name: &str) -> (bool, Kind, String) {
        (public, kind, name.to_owned())
    }

    #[test]
    fn each_item_has_its_kind_and_visibility() {
        let code = "#![a(b)]\nuse a::{b, c};\npub(crate) mod d;\n#[e(f)]\npub struct G<H>(I) where J: K;\n\
            pub enum L { M }\nimpl L { fn n() {} }\npub const O: P = P { q: 1 };\npub const fn r() -> [u8; 2] {}\n\
            pub async fn s() {}\ntrait T { fn u(); }\nv! { w }\npub type X = Y;";
        let expected = [
            item(false, Kind::Use, ""),
            item(false, Kind::Module, "d"),
            item(true, Kind::Struct, "G"),
            item(true, Kind::Enum, "L"),
            item(false, Kind::Impl, ""),
            item(true, Kind::Plain, "O"),
            item(true, Kind::Plain, "r"),
            item(true, Kind::Plain, "s"),
            item(false, Kind::Trait, "T"),
            item(true, Kind::Plain, "X"),
        ];
        assert_eq!(named(code), expected);
    }

    #[test]
    fn what_is_for_tests_is_left_out() {
        assert_eq!(
            named("#[cfg(test)]\nmod tests { fn a() {} }\nfn b() {}"),
            [item(false, Kind::Plain, "b")]
        );
    }

    #[test]
    fn header_and_body_lie_around_the_first_brace() {
        let found = items("impl<A> B<A> {\n    pub fn c() {}\n}");
        assert_eq!(found[0].header(), "impl<A> B<A> ");
        assert_eq!(named(found[0].body()), [item(true, Kind::Plain, "c")]);
    }

    #[test]
    fn variants_and_public_fields_are_told_from_what_is_in_them() {
        assert_eq!(variants("\n#[a(b)]\nC(D, E),\nF { g: H, i: J },\nK = 1,\n"), ["C", "F", "K"]);
        assert_eq!(
            public_fields("\n#[a]\npub b: C<D, E>,\nf: G,\npub(crate) h: I,\npub j: K,\n"),
            ["b", "j"]
        );
    }
}
