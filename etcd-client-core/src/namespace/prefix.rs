//! The prefix of a namespace: prepended to keys and ranges, and removed again with a check.

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};

use crate::types::{Event, Key, KeyRange, KeyValue, prefix_range_end};

/// A prefix and the end of the range of all keys that start with it.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    key: Key,
    end: Bytes,
}

impl Prefix {
    pub(crate) fn new(key: Key) -> Self {
        let end = prefix_range_end(key.as_bytes());
        Self { key, end }
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn add(&self, key: &[u8]) -> Bytes {
        [self.key.as_bytes(), key].concat().into()
    }

    /// Prepends the prefix to a key, or to the name of a lock or an election.
    pub(crate) fn add_to(&self, key: &mut Key) {
        *key = self.add(key.as_bytes()).into();
    }

    /// Prepends the prefix to a range. The range must be valid, because a contradictory one has no bounds.
    ///
    /// A range of all keys starts after the key that equals the prefix. That key would be the empty key of the namespace, and
    /// etcd has no empty key.
    pub(crate) fn add_range(&self, range: &mut KeyRange) {
        let (key, end) = range.bounds();
        let end = match &end[..] {
            b"" => end,
            b"\0" => self.end.clone(),
            end => self.add(end),
        };
        *range = KeyRange::from_bounds(self.add(&key), end);
    }

    /// Returns the key without the prefix, in the same buffer. Returns `None` for a key outside of the namespace.
    pub(crate) fn strip(&self, key: &Bytes) -> Option<Bytes> {
        let rest = key.strip_prefix(self.key.as_bytes())?;
        (!rest.is_empty()).then(|| key.slice_ref(rest))
    }

    pub(crate) fn strip_from(&self, key: &mut Key, outcome: Outcome) -> Result<(), Error> {
        *key = self.strip(&key.clone().into_bytes()).ok_or_else(|| outside(outcome))?.into();
        Ok(())
    }

    pub(crate) fn strip_kv(&self, kv: &mut KeyValue, outcome: Outcome) -> Result<(), Error> {
        kv.key = self.strip(&kv.key).ok_or_else(|| outside(outcome))?;
        Ok(())
    }

    pub(crate) fn strip_kvs<'a>(
        &self,
        kvs: impl IntoIterator<Item = &'a mut KeyValue>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        kvs.into_iter().try_for_each(|kv| self.strip_kv(kv, outcome))
    }

    pub(crate) fn strip_event(&self, event: &mut Event) -> Result<(), Error> {
        self.strip_kvs([&mut event.kv].into_iter().chain(&mut event.prev_kv), Outcome::NotApplied)
    }
}

/// The error for a key outside of the namespace. It does not contain the key, because errors never show keys.
pub(crate) fn outside(outcome: Outcome) -> Error {
    let error = Error::new(ErrorKind::Protocol, "the response has a key outside of the namespace");
    error.with_outcome(outcome)
}
