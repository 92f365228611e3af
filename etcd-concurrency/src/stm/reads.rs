//! The reads of a transaction, and the conditions under which they still hold. Pure.

use std::collections::BTreeMap;

use etcd_client_core::{Compare, Key, KeyValue, Revision, types::KeyRange};

/// Keys that were fetched at one revision before the function read them.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefetched {
    pub(super) revision: Revision,
    pub(super) keys: BTreeMap<Key, Option<KeyValue>>,
}

/// The keys and ranges that were read.
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
    /// Returns the result of the first read of a key.
    pub(super) fn key(&self, key: &Key) -> Option<&Option<KeyValue>> {
        self.keys.get(key)
    }

    /// Records the read of a key. The result of an earlier read stays.
    pub(super) fn add_key(&mut self, key: Key, kv: Option<KeyValue>) {
        self.keys.entry(key).or_insert(kv);
    }

    pub(super) fn range(&self, range: &KeyRange) -> Option<&[KeyValue]> {
        self.ranges.iter().find(|read| read.range == *range).map(|read| &read.kvs[..])
    }

    /// Records the read of a range at a revision.
    pub(super) fn add_range(&mut self, range: KeyRange, kvs: Vec<KeyValue>, revision: Revision) {
        self.ranges.push(RangeRead { range, kvs, revision });
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.keys()
    }

    /// Returns whether nothing was read.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }

    /// Returns conditions that hold while the reads would return the same results.
    pub(super) fn unchanged(&self) -> Vec<Compare> {
        let mut versions: BTreeMap<Key, Revision> = BTreeMap::new();
        let mut compares = Vec::new();
        for (key, kv) in &self.keys {
            versions.insert(key.clone(), kv.as_ref().map_or(Revision::ZERO, |kv| kv.mod_revision));
        }
        for read in &self.ranges {
            // The compare over the range fails if a key was changed or created since. It does not notice deletions: each key
            // that was found needs its own compare.
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
    fn first_read_of_a_key_stays() {
        let mut reads = Reads::default();
        reads.add_key("a".into(), Some(kv("a", 5)));
        reads.add_key("a".into(), Some(kv("a", 9)));
        assert_eq!(reads.unchanged(), [Compare::mod_revision("a").equal(5)]);
    }

    #[test]
    fn missing_keys_must_stay_missing() {
        let mut reads = Reads::default();
        reads.add_key("a".into(), None);
        assert_eq!(reads.unchanged(), [Compare::mod_revision("a").equal(0)]);
    }

    #[test]
    fn ranges_detect_changes_creations_and_deletions() {
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
