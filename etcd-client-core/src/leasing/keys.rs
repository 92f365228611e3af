//! The ownership keys: the prefix, followed by the key that is owned.

use bytes::Bytes;
use etcd_errors::Error;

use crate::{
    leasing::state::{
        Owner,
        targets::{Span, Targets},
    },
    txn::Compare,
    types::{Key, KeyRange, KeyValue, Revision, prefix_range_end},
};

/// The value by which a client asks the owner of a key to give it up: client/v3/leasing/kv.go.
pub(crate) const REVOKE: &[u8] = b"REVOKE";

/// The prefix of the ownership keys.
#[derive(Clone, Debug)]
pub(crate) struct OwnershipKeys {
    prefix: Key,
    end: Bytes,
}

impl OwnershipKeys {
    pub(crate) fn new(prefix: Key) -> Self {
        let end = prefix_range_end(prefix.as_bytes());
        Self { prefix, end }
    }

    pub(crate) fn prefix(&self) -> &Key {
        &self.prefix
    }

    /// Returns the ownership key of `key`.
    pub(crate) fn of(&self, key: &[u8]) -> Key {
        [self.prefix.as_bytes(), key].concat().into()
    }

    /// Returns the range of the ownership keys of a span of keys.
    pub(crate) fn range(&self, span: &Span) -> KeyRange {
        let end =
            span.end.as_ref().map_or_else(|| self.end.clone(), |end| self.of(end.as_bytes()).into_bytes());
        KeyRange::from_bounds(self.of(span.start.as_bytes()).into_bytes(), end)
    }

    /// Returns the key that an ownership key belongs to.
    pub(crate) fn owned(&self, ownership_key: &[u8]) -> Option<Key> {
        ownership_key.strip_prefix(self.prefix.as_bytes()).map(Key::from)
    }

    /// Requires that `key` has the owner with this create revision, or no owner for zero.
    pub(crate) fn guard(&self, key: &Key, created: Revision) -> Compare {
        Compare::create_revision(self.of(key.as_bytes())).equal(created)
    }

    /// Requires that no key of the span got an owner after `revision`.
    pub(crate) fn guard_range(&self, span: &Span, revision: Revision) -> Compare {
        let mut compare = Compare::create_revision("").less(revision.next());
        *compare.range_mut() = self.range(span);
        compare
    }

    /// Rejects a write to the ownership keys themselves, which would end ownerships without their owners' knowledge.
    pub(crate) fn check(&self, targets: &Targets) -> Result<(), Error> {
        let key = targets.keys.iter().any(|key| key.as_bytes().starts_with(self.prefix.as_bytes()));
        if key || targets.ranges.iter().any(|span| span.touches_prefix(&self.prefix, &self.end)) {
            let complaint = format!("must not contain the ownership keys below {:?}", self.prefix);
            return Err(Error::invalid_request("key", complaint));
        }
        Ok(())
    }
}

/// Returns what an ownership key shows.
pub(crate) fn owner(kv: &KeyValue) -> Owner {
    Owner { created: kv.create_revision, lease: kv.lease, revoked: &kv.value[..] == REVOKE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_keys_as_go_does() {
        let keys = OwnershipKeys::new("own/".into());
        assert_eq!(keys.of(b"abc"), "own/abc");
        assert_eq!(keys.owned(b"own/abc"), Some("abc".into()));
        assert_eq!(keys.owned(b"abc"), None);
    }

    #[test]
    fn range_without_end_stays_below_the_prefix() {
        let keys = OwnershipKeys::new("own/".into());
        let bounds = |start: &str, end: Option<&str>| {
            let (start, end) = keys.range(&Span { start: start.into(), end: end.map(Key::from) }).bounds();
            (String::from_utf8_lossy(&start).into_owned(), String::from_utf8_lossy(&end).into_owned())
        };
        assert_eq!(bounds("a", Some("b")), ("own/a".to_owned(), "own/b".to_owned()));
        assert_eq!(bounds("a", None), ("own/a".to_owned(), "own0".to_owned()));
    }
}
