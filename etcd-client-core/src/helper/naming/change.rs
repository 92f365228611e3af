//! What changed of the endpoints of a service, found by comparing with what was known.

use std::collections::{BTreeMap, BTreeSet};

use super::ServiceEndpoint;
use crate::model::{Event, EventType, Key, KeyValue, Revision};

/// The endpoints by their keys.
pub(super) type Known = BTreeMap<Key, ServiceEndpoint>;

/// What happened to one endpoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EndpointChange {
    /// It is there, new or in place of the one that was there.
    Added {
        /// Its key.
        key: Key,
        /// Where it is.
        endpoint: ServiceEndpoint,
    },
    /// It is gone: deleted, or its lease ended.
    Deleted {
        /// Its key.
        key: Key,
    },
}

impl EndpointChange {
    /// The key of the endpoint.
    pub fn key(&self) -> &Key {
        match self {
            Self::Added { key, .. } | Self::Deleted { key } => key,
        }
    }
}

/// The endpoint of a pair. What is none is left out, as Go's manager leaves it out.
pub(super) fn read(kv: &KeyValue) -> Option<(Key, ServiceEndpoint)> {
    let key = Key::from(&kv.key);
    match ServiceEndpoint::from_json(&kv.value) {
        Ok(endpoint) => Some((key, endpoint)),
        Err(error) => {
            tracing::warn!(?key, %error, "a key of a service holds no endpoint");
            None
        }
    }
}

/// The changes that the events make to what is known: one batch for each revision that makes any.
pub(super) fn apply(known: &mut Known, events: &[Event]) -> Vec<Vec<EndpointChange>> {
    let mut batches: Vec<(Revision, Vec<EndpointChange>)> = Vec::new();
    for event in events {
        let Some(change) = change(known, event) else { continue };
        match batches.last_mut() {
            Some((revision, batch)) if *revision == event.revision() => batch.push(change),
            _ => batches.push((event.revision(), vec![change])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

/// A value that is no endpoint takes the place of the one that was there: that is gone.
fn change(known: &mut Known, event: &Event) -> Option<EndpointChange> {
    let added = if event.event_type == EventType::Put { read(&event.kv) } else { None };
    if let Some((key, endpoint)) = added {
        known.insert(key.clone(), endpoint.clone());
        return Some(EndpointChange::Added { key, endpoint });
    }
    let key = Key::from(&event.kv.key);
    known.remove(&key).map(|_| EndpointChange::Deleted { key })
}

/// The changes that lead from what is known to what is listed.
pub(super) fn replace(known: &mut Known, listed: Known) -> Vec<EndpointChange> {
    let gone: BTreeSet<_> = known.keys().filter(|key| !listed.contains_key(*key)).cloned().collect();
    let deleted = gone.into_iter().map(|key| EndpointChange::Deleted { key });
    let added = listed.iter().filter(|(key, endpoint)| known.get(*key) != Some(endpoint));
    let added =
        added.map(|(key, endpoint)| EndpointChange::Added { key: key.clone(), endpoint: endpoint.clone() });
    let changes = deleted.chain(added).collect();
    *known = listed;
    changes
}
