//! The prefix itself: put before a key or a range, and taken off again, checked.

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};

use crate::{
    model::{Event, Key, KeyValue, prefix_range_end},
    op::KeyRange,
};

/// A prefix, and the end of the range that it spans.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    key: Key,
    end: Bytes,
}

impl Prefix {
    pub(super) fn new(key: Key) -> Self {
        let end = prefix_range_end(key.as_bytes());
        Self { key, end }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn add(&self, key: &[u8]) -> Bytes {
        [self.key.as_bytes(), key].concat().into()
    }

    /// The name of a lock or an election begins keys as a key does.
    pub(super) fn add_to(&self, key: &mut Key) {
        *key = self.add(key.as_bytes()).into();
    }

    /// A range that was checked: one that contradicts itself has no bounds.
    ///
    /// "From the first key on" starts behind the prefix itself, which stands for the empty key that etcd does not have.
    pub(super) fn add_range(&self, range: &mut KeyRange) {
        let (key, end) = range.bounds();
        let end = match &end[..] {
            b"" => end,
            b"\0" => self.end.clone(),
            end => self.add(end),
        };
        *range = KeyRange::from_bounds(self.add(&key), end);
    }

    /// The rest of a key of the namespace, in the same buffer.
    pub(super) fn strip(&self, key: &Bytes) -> Option<Bytes> {
        let rest = key.strip_prefix(self.key.as_bytes())?;
        (!rest.is_empty()).then(|| key.slice_ref(rest))
    }

    pub(super) fn strip_from(&self, key: &mut Key, outcome: Outcome) -> Result<(), Error> {
        *key = self.strip(&key.clone().into_bytes()).ok_or_else(|| outside(outcome))?.into();
        Ok(())
    }

    pub(super) fn strip_kv(&self, kv: &mut KeyValue, outcome: Outcome) -> Result<(), Error> {
        kv.key = self.strip(&kv.key).ok_or_else(|| outside(outcome))?;
        Ok(())
    }

    pub(super) fn strip_kvs<'a>(
        &self,
        kvs: impl IntoIterator<Item = &'a mut KeyValue>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        kvs.into_iter().try_for_each(|kv| self.strip_kv(kv, outcome))
    }

    pub(super) fn strip_event(&self, event: &mut Event) -> Result<(), Error> {
        self.strip_kvs([&mut event.kv].into_iter().chain(&mut event.prev_kv), Outcome::NotApplied)
    }
}

/// The key is not told: errors show none.
pub(super) fn outside(outcome: Outcome) -> Error {
    let error = Error::new(ErrorKind::Protocol, "the answer has a key outside of the namespace");
    error.with_outcome(outcome)
}
