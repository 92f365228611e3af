//! Operations and responses as text. A response is compared by its text, so every field has to be part of it.

mod request;
mod response;

use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

pub(crate) use self::response::{Frame, Response, event, status};

/// The fields of a message that differ from their defaults.
#[derive(Debug, Default)]
pub(super) struct Fields(String);

impl Fields {
    pub(super) fn of(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(super) fn word(mut self, word: &str) -> Self {
        if !word.is_empty() {
            let _ = write!(self.0, " {word}");
        }
        self
    }

    pub(super) fn flag(self, name: &str, set: bool) -> Self {
        if set { self.word(name) } else { self }
    }

    pub(super) fn number<N: Default + PartialEq + ToString>(self, name: &str, number: N) -> Self {
        if number == N::default() { self } else { self.word(&format!("{name}={}", number.to_string())) }
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        if text.is_empty() || text == "0" { self } else { self.word(&format!("{name}={text}")) }
    }

    pub(super) fn list(self, name: &str, items: impl IntoIterator<Item = String>) -> Self {
        let items: Vec<String> = items.into_iter().collect();
        if items.is_empty() { self } else { self.word(&format!("{name}[{}]", items.join("; "))) }
    }

    pub(super) fn end(self) -> String {
        self.0
    }
}

/// The range from `key` to `end`.
pub(super) fn range(key: &[u8], end: &[u8]) -> String {
    if end.is_empty() { bytes(key) } else { format!("{}..{}", bytes(key), bytes(end)) }
}

/// Bytes, or the length and a hash of many.
pub(super) fn bytes(bytes: &[u8]) -> String {
    if bytes.len() <= 24 {
        return format!("\"{}\"", bytes.escape_ascii());
    }
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("<{} bytes {:x}>", bytes.len(), hasher.finish())
}
