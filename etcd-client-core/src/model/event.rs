//! A change of one key, as a watch reports it.

use super::{KeyValue, Revision};

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// It was put.
    Put,
    /// It was deleted, by a request or with its lease.
    Delete,
}

/// A change of one key.
///
/// ```
/// use etcd_client_core::{Event, KeyValue};
///
/// let event = Event::put(KeyValue::new("k", "v").with_revisions(5, 5));
/// assert!(event.is_create() && !event.is_modify());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Event {
    /// Whether the key was put or deleted.
    pub event_type: EventType,
    /// The pair after the change. Of a deleted key only `key` and `mod_revision`, the revision of the deletion, are set.
    pub kv: KeyValue,
    /// The pair before the change, where the watch asked for it and history still has it.
    pub prev_kv: Option<KeyValue>,
}

impl Event {
    /// The key was put.
    pub fn put(kv: KeyValue) -> Self {
        Self { event_type: EventType::Put, kv, prev_kv: None }
    }

    /// The key was deleted; `kv` has the key, and as `mod_revision` the revision that did it.
    pub fn delete(kv: KeyValue) -> Self {
        Self { event_type: EventType::Delete, kv, prev_kv: None }
    }

    /// Sets or removes the pair before the change.
    #[must_use = "returns the changed event"]
    pub fn with_prev_kv(mut self, prev_kv: impl Into<Option<KeyValue>>) -> Self {
        self.prev_kv = prev_kv.into();
        self
    }

    /// The revision that made the change.
    pub fn revision(&self) -> Revision {
        self.kv.mod_revision
    }

    /// Whether a key was put that did not exist.
    pub fn is_create(&self) -> bool {
        self.event_type == EventType::Put && self.kv.create_revision == self.kv.mod_revision
    }

    /// Whether a key was put that existed.
    pub fn is_modify(&self) -> bool {
        self.event_type == EventType::Put && self.kv.create_revision != self.kv.mod_revision
    }

    /// Whether the key was deleted.
    pub fn is_delete(&self) -> bool {
        self.event_type == EventType::Delete
    }
}
