//! An owned key: its current pair, and the writes in flight.

use std::collections::BTreeSet;

use crate::types::{KeyValue, ResponseHeader, Revision};

/// An owned key with its pair.
#[derive(Debug)]
pub(super) struct Entry {
    /// The create revision of the ownership key.
    pub(super) created: Revision,
    /// The header of the response that the pair is from.
    pub(super) header: ResponseHeader,
    /// The pair; `None` if the key does not exist. Never one with a lease, which could delete it.
    pub(super) kv: Option<KeyValue>,
    /// The tickets of the writes in flight, which may have been applied.
    pub(super) pending: BTreeSet<u64>,
}

impl Entry {
    pub(super) fn new(header: ResponseHeader, kv: Option<KeyValue>) -> Self {
        Self { created: header.revision, header, kv, pending: BTreeSet::new() }
    }

    /// Returns whether a write in flight began before `barrier`.
    pub(super) fn waits_before(&self, barrier: u64) -> bool {
        self.pending.first().is_some_and(|ticket| *ticket < barrier)
    }

    /// Replaces the pair by a later one. The responses to concurrent writes may arrive in any order.
    pub(super) fn update(&mut self, header: ResponseHeader, kv: Option<KeyValue>) {
        if header.revision >= self.header.revision {
            self.header = header;
            self.kv = kv;
        }
    }
}
