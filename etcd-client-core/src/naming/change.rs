//! The changes of a service's endpoints, computed against the known endpoints.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    naming::endpoint::ServiceEndpoint,
    types::{Event, EventType, Key, KeyValue, Revision},
};

/// The endpoints by key.
pub(crate) type Known = BTreeMap<Key, ServiceEndpoint>;

/// A change of one endpoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EndpointChange {
    /// An endpoint was added or replaced.
    Added {
        /// Its key.
        key: Key,
        /// The endpoint.
        endpoint: ServiceEndpoint,
    },
    /// An endpoint was deleted, or its lease expired.
    Deleted {
        /// Its key.
        key: Key,
    },
}

impl EndpointChange {
    /// Returns the key of the endpoint.
    pub fn key(&self) -> &Key {
        match self {
            Self::Added { key, .. } | Self::Deleted { key } => key,
        }
    }
}

/// Parses the endpoint of a pair. Returns `None` for other values, which Go's manager skips as well.
pub(crate) fn read(kv: &KeyValue) -> Option<(Key, ServiceEndpoint)> {
    let key = Key::from(&kv.key);
    match ServiceEndpoint::from_json(&kv.value) {
        Ok(endpoint) => Some((key, endpoint)),
        Err(error) => {
            tracing::warn!(?key, %error, "the value under a service key is not an endpoint");
            None
        }
    }
}

/// Applies events to the known endpoints. Returns one batch of changes for each revision that changes any.
pub(crate) fn apply(known: &mut Known, events: &[Event]) -> Vec<Vec<EndpointChange>> {
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

/// Applies one event. A put of a value that is not an endpoint deletes the known endpoint of that key.
fn change(known: &mut Known, event: &Event) -> Option<EndpointChange> {
    let added = if event.event_type == EventType::Put { read(&event.kv) } else { None };
    if let Some((key, endpoint)) = added {
        known.insert(key.clone(), endpoint.clone());
        return Some(EndpointChange::Added { key, endpoint });
    }
    let key = Key::from(&event.kv.key);
    known.remove(&key).map(|_| EndpointChange::Deleted { key })
}

/// Replaces the known endpoints by the listed ones and returns the difference.
pub(crate) fn replace(known: &mut Known, listed: Known) -> Vec<EndpointChange> {
    let gone: BTreeSet<_> = known.keys().filter(|key| !listed.contains_key(*key)).cloned().collect();
    let deleted = gone.into_iter().map(|key| EndpointChange::Deleted { key });
    let added = listed.iter().filter(|(key, endpoint)| known.get(*key) != Some(endpoint));
    let added =
        added.map(|(key, endpoint)| EndpointChange::Added { key: key.clone(), endpoint: endpoint.clone() });
    let changes = deleted.chain(added).collect();
    *known = listed;
    changes
}
