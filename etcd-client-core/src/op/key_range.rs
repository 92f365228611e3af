//! Which keys an operation is about: one, those with a prefix, those from a key on, a range, or all.

use bytes::Bytes;
use etcd_errors::Code;

use super::Invalid;
use crate::model::{Key, prefix_range_end};

/// The keys an operation is about.
///
/// ```
/// use etcd_client_core::KeyRange;
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
    /// A prefix that an explicit selector replaces: what "the first key of" means when nothing else is said.
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
    /// Exactly this key.
    pub fn one(key: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::One }
    }

    /// All keys that start with `key`; with an empty one, all keys.
    pub fn prefix(key: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::Prefix }
    }

    /// `key` and all keys after it; with an empty one, all keys.
    pub fn from_key(key: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::FromKey }
    }

    /// The keys from `key` up to, but without, `range_end`.
    pub fn between(key: impl Into<Key>, range_end: impl Into<Key>) -> Self {
        Self { key: key.into(), selector: Selector::End(range_end.into()) }
    }

    /// All keys.
    pub fn all() -> Self {
        Self { key: Key::new(), selector: Selector::All }
    }

    /// The range that [`bounds`](Self::bounds) describes: an empty `range_end` means one key.
    pub fn from_bounds(key: Bytes, range_end: Bytes) -> Self {
        let selector = if range_end.is_empty() { Selector::One } else { Selector::End(range_end.into()) };
        Self { key: key.into(), selector }
    }

    /// The key the operation was made with: the first of the range unless all keys were asked for.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether this is more than one key.
    pub fn is_range(&self) -> bool {
        self.selector != Selector::One
    }

    /// `key` and `range_end` as etcd takes them: an empty `range_end` for one key, `"\0"` for no upper end.
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

    /// Makes it a prefix unless a range was selected, and lets a later selection win.
    pub(crate) fn imply_prefix(&mut self) {
        if self.selector == Selector::One {
            self.selector = Selector::ImpliedPrefix;
        }
    }

    /// A second, different selection is remembered and refused by `check`.
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

    /// Refuses what contradicts itself, and leaves it to the operation which keys may be empty.
    pub(crate) fn check_selectors(&self) -> Result<(), Invalid> {
        match &self.selector {
            Selector::Both(first, second) => {
                let complaint = format!("is selected twice, by {first} and by {second}");
                Err(Invalid::new("range_end", complaint))
            }
            Selector::End(end) if end.is_empty() => Err(Invalid::new("range_end", "is empty")),
            Selector::All if !self.key.is_empty() => {
                Err(Invalid::new("key", "must be empty when all keys are selected"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn explicit_end_len(&self) -> usize {
        match &self.selector {
            Selector::End(end) => end.len(),
            _ => 0,
        }
    }
}

/// The setters of every operation on a range; `$self.$path` leads to its `KeyRange`.
macro_rules! range_setters {
    ($($path:ident).+) => {
        /// All keys that start with the key; with an empty key, all keys. Default: exactly the key.
        ///
        /// Only one of `prefix`, `range_end`, `from_key` and `all_keys` may be chosen; a second one is an error
        /// when the request is sent.
        pub fn prefix(mut self) -> Self {
            self.$($path).+.select_prefix();
            self
        }

        /// The keys from the key up to, but without, `end`.
        pub fn range_end(mut self, end: impl Into<$crate::model::Key>) -> Self {
            self.$($path).+.select_end(end.into());
            self
        }

        /// The key and all keys after it; with an empty key, all keys.
        pub fn from_key(mut self) -> Self {
            self.$($path).+.select_from_key();
            self
        }

        /// All keys; the key itself must be empty.
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
    fn bounds_as_the_go_client_sends_them() {
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
    fn the_same_selection_twice_is_no_conflict() {
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
    fn an_implied_prefix_gives_way() {
        let mut range = KeyRange::one("a");
        range.imply_prefix();
        assert_eq!(bounds(&range), (b"a".to_vec(), b"b".to_vec()));
        range.select_end("z".into());
        assert!(range.check().is_ok());
        range.imply_prefix();
        assert_eq!(bounds(&range), (b"a".to_vec(), b"z".to_vec()));
    }
}
