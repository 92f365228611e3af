//! The writes of a transaction, and their effect on its own reads. Pure.

use std::collections::BTreeMap;

use etcd_client_core::{Compare, Delete, Key, KeyValue, Put, Revision, Value, txn::Op, types::KeyRange};

use super::reads::Reads;

/// The writes to commit: the last one of each key.
#[derive(Debug, Default)]
pub(super) struct Writes(BTreeMap<Key, Write>);

#[derive(Clone, Debug)]
enum Write {
    Put(Put),
    Delete,
}

impl Writes {
    pub(super) fn put(&mut self, put: Put) {
        self.0.insert(put.key.clone(), Write::Put(put));
    }

    pub(super) fn delete(&mut self, key: Key) {
        self.0.insert(key, Write::Delete);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the future value of a key, or `None` if the transaction does not write it.
    pub(super) fn value(&self, key: &Key) -> Option<Option<Value>> {
        Some(match self.0.get(key)? {
            Write::Put(put) => Some(put.value.clone()),
            Write::Delete => None,
        })
    }

    /// Applies the writes to the pairs that were read from a range, and returns them in key order.
    pub(super) fn overlay(&self, range: &KeyRange, read: &[KeyValue]) -> Vec<(Key, Value)> {
        let mut pairs: BTreeMap<Key, Value> =
            read.iter().map(|kv| (Key::from(&kv.key), Value::from(&kv.value))).collect();
        for (key, write) in self.0.iter().filter(|(key, _)| contains(range, key.as_bytes())) {
            match write {
                Write::Put(put) => pairs.insert(key.clone(), put.value.clone()),
                Write::Delete => pairs.remove(key),
            };
        }
        pairs.into_iter().collect()
    }

    /// Returns conditions that hold while the written keys have not changed since a revision. Keys that were also read are
    /// covered by [`Reads::unchanged`].
    pub(super) fn unchanged_since(&self, revision: Revision, reads: &Reads) -> Vec<Compare> {
        let unread = self.0.keys().filter(|key| reads.key(key).is_none());
        unread.map(|key| Compare::mod_revision(key).less(revision.next())).collect()
    }

    pub(super) fn ops(&self) -> Vec<Op> {
        let op = |(key, write): (&Key, &Write)| match write {
            Write::Put(put) => put.clone().into(),
            Write::Delete => Delete::new(key).into(),
        };
        self.0.iter().map(op).collect()
    }
}

fn contains(range: &KeyRange, key: &[u8]) -> bool {
    // etcd's encoding of ranges: no end is a single key, and the end `\0` stands for all keys from the first one on.
    let (from, end) = range.bounds();
    match &end[..] {
        b"" => key == &from[..],
        b"\0" => key >= &from[..],
        end => key >= &from[..] && key < end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_write_wins() {
        let mut writes = Writes::default();
        writes.put(Put::new("a", "1"));
        writes.delete("a".into());
        assert_eq!(writes.value(&"a".into()), Some(None));
        writes.put(Put::new("a", "2"));
        assert_eq!(writes.value(&"a".into()), Some(Some("2".into())));
        assert_eq!(writes.value(&"b".into()), None);
        assert_eq!(writes.ops(), [Op::from(Put::new("a", "2"))]);
        let mut reads = Reads::default();
        assert_eq!(writes.unchanged_since(7.into(), &reads), [Compare::mod_revision("a").less(8)]);
        reads.add_key("a".into(), None);
        assert!(writes.unchanged_since(7.into(), &reads).is_empty(), "the reads cover it");
    }

    #[test]
    fn ranges_include_own_writes() {
        let mut writes = Writes::default();
        writes.put(Put::new("d/2", "new"));
        writes.delete("d/3".into());
        writes.put(Put::new("e", "outside"));
        let read = [KeyValue::new("d/1", "1"), KeyValue::new("d/2", "2"), KeyValue::new("d/3", "3")];
        let seen = writes.overlay(&KeyRange::prefix("d/"), &read);
        assert_eq!(seen, [("d/1".into(), "1".into()), ("d/2".into(), "new".into())]);
        let all = writes.overlay(&KeyRange::from_key("d/2"), &[]);
        assert_eq!(all, [("d/2".into(), "new".into()), ("e".into(), "outside".into())]);
    }
}
