//! The keys of an operation: one key, a prefix, everything from a key on, a range, or all keys.

use bytes::Bytes;
use etcd_errors::Code;

use crate::types::{Invalid, Key, prefix_range_end};

/// The keys that an operation applies to.
///
/// # Examples
/// ```
/// use etcd_client_core::types::KeyRange;
///
/// let (key, range_end) = KeyRange::prefix("dir/").bounds();
/// assert_eq!((&key[..], &range_end[..]), (&b"dir/"[..], &b"dir0"[..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRange {
    key: Key,
    selector: Selector,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Selector {
    One,
    /// A prefix that an explicit selector replaces: the range of `first_key` and its like unless one is selected.
    ImpliedPrefix,
    Prefix,
    FromKey,
    End(Key),
    All,
    Both(&'static str, &'static str),
}

impl Selector {
    fn name(&self) -> &'static str {
        match self {
            Self::One | Self::ImpliedPrefix | Self::Both(..) => "key",
            Self::Prefix => "prefix",
            Self::FromKey => "from_key",
            Self::End(_) => "range_end",
            Self::All => "all_keys",
        }
    }
}

impl KeyRange {
    /// Selects exactly this key.
    pub fn one(key: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::One }
    }

    /// Selects every key that starts with `key`. An empty `key` selects all keys.
    #[doc(alias = "WithPrefix")]
    pub fn prefix(key: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::Prefix }
    }

    /// Selects `key` and every key after it. An empty `key` selects all keys.
    #[doc(alias = "WithFromKey")]
    pub fn from_key(key: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::FromKey }
    }

    /// Selects the keys from `key` to `range_end`, excluding `range_end`.
    #[doc(alias = "WithRange")]
    pub fn between(key: impl Into<Key>, range_end: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::End(range_end.into()) }
    }

    /// Selects all keys.
    pub fn all() -> Self {
        Self { key: Key::new(), selector: Selector::All }
    }

    /// Creates a range from bounds in etcd's encoding, as [`bounds`](Self::bounds) returns them. An empty `range_end`
    /// selects one key.
    pub fn from_bounds(key: Bytes, range_end: Bytes) -> Self {
        let selector = if range_end.is_empty() { Selector::One } else { Selector::End(range_end.into()) };
        Self { key: key.into(), selector }
    }

    /// Returns the key that the operation was created with: the first of the range, or empty if all keys are
    /// selected.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns whether the range can contain more than one key.
    pub fn is_range(&self) -> bool {
        self.selector != Selector::One
    }

    /// Returns `key` and `range_end` in etcd's encoding: an empty `range_end` is one key, `"\0"` means no upper
    /// bound.
    pub fn bounds(&self) -> (Bytes, Bytes) {
        const ZERO: Bytes = Bytes::from_static(b"\0");
        let key = || Bytes::from(self.key.clone());
        let key_or_zero = || if self.key.is_empty() { ZERO } else { key() };
        match &self.selector {
            Selector::One | Selector::Both(..) => (key(), Bytes::new()),
            Selector::Prefix | Selector::ImpliedPrefix => {
                (key_or_zero(), prefix_range_end(self.key.as_bytes()))
            }
            Selector::FromKey => (key_or_zero(), ZERO),
            Selector::End(end) => (key(), end.clone().into()),
            Selector::All => (ZERO, ZERO),
        }
    }

    pub(crate) fn select_prefix(&mut self) {
        self.select(Selector::Prefix);
    }

    pub(crate) fn select_from_key(&mut self) {
        self.select(Selector::FromKey);
    }

    pub(crate) fn select_end(&mut self, end: Key) {
        self.select(Selector::End(end));
    }

    pub(crate) fn select_all(&mut self) {
        self.select(Selector::All);
    }

    /// Selects the prefix unless a range is selected already. A later selection replaces it.
    pub(crate) fn imply_prefix(&mut self) {
        if self.selector == Selector::One {
            self.selector = Selector::ImpliedPrefix;
        }
    }

    /// Records a second, different selection, which `check` then rejects.
    fn select(&mut self, selector: Selector) {
        self.selector = match &self.selector {
            Selector::One | Selector::ImpliedPrefix => selector,
            Selector::Both(first, second) => Selector::Both(first, second),
            same if *same == selector => selector,
            other => Selector::Both(other.name(), selector.name()),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        match &self.selector {
            Selector::One | Selector::End(_) if self.key.is_empty() => {
                Err(Invalid::new("key", "is empty").code(Code::EmptyKey))
            }
            _ => self.check_selectors(),
        }
    }

    /// Rejects contradictory selections. The operation itself decides whether a key may be empty.
    pub(crate) fn check_selectors(&self) -> Result<(), Invalid> {
        match &self.selector {
            Selector::Both(first, second) => {
                let complaint = format!("is selected by both {first} and {second}; use only one of them");
                Err(Invalid::new("range_end", complaint))
            }
            Selector::End(end) if end.is_empty() => Err(Invalid::new("range_end", "is empty")),
            Selector::All if !self.key.is_empty() => {
                Err(Invalid::new("key", "must be empty when all_keys is set"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn explicit_end_len(&self) -> usize {
        match &self.selector {
            Selector::End(end) => end.len(),
            _ => 0,
        }
    }
}

/// The range setters that every operation on a range shares; `$self.$path` leads to its `KeyRange`.
macro_rules! range_setters {
    ($($path:ident).+) => {
        /// Selects every key that starts with the key. An empty key selects all keys. The default is exactly the key.
        ///
        /// Use only one of `prefix`, `range_end`, `from_key` and `all_keys`. The request fails validation if two of
        /// them are set.
        #[doc(alias = "WithPrefix")]
        #[doc(alias = "with_prefix")]
        pub fn prefix(mut self) -> Self {
            self.$($path).+.select_prefix();
            self
        }

        /// Selects the keys from the key to `end`, excluding `end`.
        #[doc(alias = "WithRange")]
        #[doc(alias = "with_range")]
        pub fn range_end(mut self, end: impl Into<$crate::types::Key>) -> Self {
            self.$($path).+.select_end(end.into());
            self
        }

        /// Selects the key and every key after it. An empty key selects all keys.
        #[doc(alias = "WithFromKey")]
        #[doc(alias = "with_from_key")]
        pub fn from_key(mut self) -> Self {
            self.$($path).+.select_from_key();
            self
        }

        /// Selects all keys. The key itself must be empty.
        #[doc(alias = "with_all_keys")]
        pub fn all_keys(mut self) -> Self {
            self.$($path).+.select_all();
            self
        }
    };
}

pub(crate) use range_setters;

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(range: &KeyRange) -> (Vec<u8>, Vec<u8>) {
        let (key, end) = range.bounds();
        (key.to_vec(), end.to_vec())
    }

    #[test]
    fn bounds_match_the_go_client() {
        let cases: [(KeyRange, &[u8], &[u8]); 12] = [
            (KeyRange::one("a"), b"a", b""),
            (KeyRange::prefix("a"), b"a", b"b"),
            (KeyRange::prefix("a\u{ff}"), b"a\xc3\xbf", b"a\xc3\xc0"),
            (KeyRange::prefix(b"\xff\xff"), b"\xff\xff", b"\0"),
            (KeyRange::prefix(""), b"\0", b"\0"),
            (KeyRange::from_key("a"), b"a", b"\0"),
            (KeyRange::from_key(""), b"\0", b"\0"),
            (KeyRange::between("a", "c"), b"a", b"c"),
            (KeyRange::all(), b"\0", b"\0"),
            (KeyRange::from_bounds("a".into(), "".into()), b"a", b""),
            (KeyRange::from_bounds("a".into(), "c".into()), b"a", b"c"),
            (KeyRange::from_bounds("\0".into(), "\0".into()), b"\0", b"\0"),
        ];
        for (range, key, end) in cases {
            assert!(range.check().is_ok(), "{range:?}");
            assert_eq!(bounds(&range), (key.to_vec(), end.to_vec()), "{range:?}");
        }
    }

    #[test]
    fn repeated_selection_is_no_conflict() {
        let mut range = KeyRange::one("a");
        range.select_prefix();
        range.select_prefix();
        assert!(range.check().is_ok());
        range.select_end("b".into());
        assert!(range.check().is_err());
        range.select_prefix();
        assert!(range.check().is_err(), "a conflict stays one");
    }

    #[test]
    fn explicit_range_replaces_implied_prefix() {
        let mut range = KeyRange::one("a");
        range.imply_prefix();
        assert_eq!(bounds(&range), (b"a".to_vec(), b"b".to_vec()));
        range.select_end("z".into());
        assert!(range.check().is_ok());
        range.imply_prefix();
        assert_eq!(bounds(&range), (b"a".to_vec(), b"z".to_vec()));
    }
}
