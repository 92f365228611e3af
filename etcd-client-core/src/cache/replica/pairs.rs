//! The pairs of a range as a persistent tree: a clone copies a pointer, and a change copies one path.

use std::{borrow::Borrow, cmp::Ordering, fmt};

use rpds::RedBlackTreeMapSync;

use crate::{cache::replica::covered_range::Span, types::KeyValue};

/// Pairs in key order.
#[derive(Clone, Default)]
pub(crate) struct Pairs(RedBlackTreeMapSync<ByKey, ()>);

/// A pair that is ordered by its key, so that the tree stores the key once.
struct ByKey(KeyValue);

impl Pairs {
    pub(crate) fn len(&self) -> usize {
        self.0.size()
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&KeyValue> {
        self.0.get_key_value(key).map(|(pair, ())| &pair.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &KeyValue> {
        self.0.keys().map(|pair| &pair.0)
    }

    /// Returns the pairs whose keys are in `span`, in key order.
    pub(crate) fn range(&self, span: Span) -> impl Iterator<Item = &KeyValue> {
        // The tree panics if the start is above the end.
        let pairs = (!span.is_empty()).then(|| self.0.range::<[u8], _>(span));
        pairs.into_iter().flatten().map(|(pair, ())| &pair.0)
    }

    /// Adds or replaces a pair. Returns the previous one.
    pub(crate) fn insert(&mut self, kv: KeyValue) -> Option<KeyValue> {
        let before = self.get(&kv.key).cloned();
        self.0.insert_mut(ByKey(kv), ());
        before
    }

    /// Removes a pair and returns it.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<KeyValue> {
        let before = self.get(key).cloned()?;
        self.0.remove_mut(key);
        Some(before)
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl ByKey {
    fn key(&self) -> &[u8] {
        &self.0.key
    }
}

impl Borrow<[u8]> for ByKey {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByKey {}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}
