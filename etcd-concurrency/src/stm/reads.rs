//! What a transaction has read, and the conditions under which that still holds. Pure.

use std::collections::BTreeMap;

use etcd_client_core::{Compare, Key, KeyRange, KeyValue, Revision};

/// Keys that were read before anybody asked for them, at one revision.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetched {
    pub(super) revision: Revision,
    pub(super) keys: BTreeMap<Key, Option<KeyValue>>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reads {
    keys: BTreeMap<Key, Option<KeyValue>>,
    ranges: Vec<RangeRead>,
}

#[derive(Debug)]
struct RangeRead {
    range: KeyRange,
    kvs: Vec<KeyValue>,
    revision: Revision,
}

impl Reads {
    /// What a key was when it was read first.
    pub(super) fn key(&self, key: &Key) -> Option<&Option<KeyValue>> {
        self.keys.get(key)
    }

    /// A key was read; what was read before stays.
    pub(super) fn add_key(&mut self, key: Key, kv: Option<KeyValue>) {
        self.keys.entry(key).or_insert(kv);
    }

    pub(super) fn range(&self, range: &KeyRange) -> Option<&[KeyValue]> {
        self.ranges.iter().find(|read| read.range == *range).map(|read| &read.kvs[..])
    }

    /// A range was read at a revision.
    pub(super) fn add_range(&mut self, range: KeyRange, kvs: Vec<KeyValue>, revision: Revision) {
        self.ranges.push(RangeRead { range, kvs, revision });
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.keys()
    }

    /// Whether nothing was read.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }

    /// Conditions that hold as long as reading again gives the same.
    pub(super) fn unchanged(&self) -> Vec<Compare> {
        let mut versions: BTreeMap<Key, Revision> = BTreeMap::new();
        let mut compares = Vec::new();
        for (key, kv) in &self.keys {
            versions.insert(key.clone(), kv.as_ref().map_or(Revision::ZERO, |kv| kv.mod_revision));
        }
        for read in &self.ranges {
            // No key of the range was changed or created since; and none of those found was deleted.
            let mut unchanged = Compare::mod_revision(read.range.key()).less(read.revision.next());
            *unchanged.range_mut() = read.range.clone();
            compares.push(unchanged);
            for kv in &read.kvs {
                versions.entry(Key::from(&kv.key)).or_insert(kv.mod_revision);
            }
        }
        compares
            .extend(versions.into_iter().map(|(key, revision)| Compare::mod_revision(key).equal(revision)));
        compares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kv(name: &str, modified: i64) -> KeyValue {
        KeyValue::new(name, "").with_revisions(1, modified)
    }

    #[test]
    fn the_first_read_of_a_key_stays() {
        let mut reads = Reads::default();
        reads.add_key("a".into(), Some(kv("a", 5)));
        reads.add_key("a".into(), Some(kv("a", 9)));
        assert_eq!(reads.unchanged(), [Compare::mod_revision("a").equal(5)]);
    }

    #[test]
    fn a_missing_key_must_stay_missing() {
        let mut reads = Reads::default();
        reads.add_key("a".into(), None);
        assert_eq!(reads.unchanged(), [Compare::mod_revision("a").equal(0)]);
    }

    #[test]
    fn a_range_minds_changes_creations_and_deletions() {
        let mut reads = Reads::default();
        reads.add_key("d/1".into(), Some(kv("d/1", 5)));
        reads.add_range(KeyRange::prefix("d/"), vec![kv("d/1", 5), kv("d/2", 6)], 8.into());
        let range = Compare::mod_revision("d/").less(9).prefix();
        let (one, two) = (Compare::mod_revision("d/1").equal(5), Compare::mod_revision("d/2").equal(6));
        assert_eq!(reads.unchanged(), [range, one, two]);
        assert!(
            reads.range(&KeyRange::prefix("d/")).is_some() && reads.range(&KeyRange::prefix("e/")).is_none()
        );
    }
}
