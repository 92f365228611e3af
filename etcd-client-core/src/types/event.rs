//! A change of one key, as reported by a watch.

use crate::types::{KeyValue, Revision};

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// The key was put.
    #[doc(alias = "EventTypePut")]
    Put,
    /// The key was deleted, by a request or together with its lease.
    #[doc(alias = "EventTypeDelete")]
    Delete,
}

/// A change of one key.
///
/// # Examples
/// ```
/// use etcd_client_core::{Event, KeyValue};
///
/// let event = Event::put(KeyValue::new("k", "v").with_revisions(5, 5));
/// assert!(event.is_create() && !event.is_modify());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Event {
    /// The kind of the change.
    pub event_type: EventType,
    /// The pair after the change. For a deleted key only `key` and `mod_revision`, the revision of the deletion, are
    /// set.
    pub kv: KeyValue,
    /// The previous pair, if the watch requested it and it is not compacted.
    pub prev_kv: Option<KeyValue>,
}

impl Event {
    /// Creates the event of a put.
    pub fn put(kv: KeyValue) -> Self {
        Self { event_type: EventType::Put, kv, prev_kv: None }
    }

    /// Creates the event of a deletion. `kv` contains the key, and the revision of the deletion as `mod_revision`.
    pub fn delete(kv: KeyValue) -> Self {
        Self { event_type: EventType::Delete, kv, prev_kv: None }
    }

    /// Sets or removes the previous pair.
    #[must_use = "returns the changed event"]
    pub fn with_prev_kv(mut self, prev_kv: impl Into<Option<KeyValue>>) -> Self {
        self.prev_kv = prev_kv.into();
        self
    }

    /// Returns the revision of the change.
    pub fn revision(&self) -> Revision {
        self.kv.mod_revision
    }

    /// Returns whether a put created the key.
    #[doc(alias = "IsCreate")]
    pub fn is_create(&self) -> bool {
        self.event_type == EventType::Put && self.kv.create_revision == self.kv.mod_revision
    }

    /// Returns whether a put modified an existing key.
    #[doc(alias = "IsModify")]
    pub fn is_modify(&self) -> bool {
        self.event_type == EventType::Put && self.kv.create_revision != self.kv.mod_revision
    }

    /// Returns whether the key was deleted.
    pub fn is_delete(&self) -> bool {
        self.event_type == EventType::Delete
    }
}
