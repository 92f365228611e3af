//! Reads a typed value from a snapshot of its range, keeping what is no longer valid. Pure.

use std::{collections::BTreeMap, sync::Arc};

use etcd_errors::{Error, ErrorKind};
use serde::de::DeserializeOwned;

use crate::{
    cache::CacheSnapshot,
    json::codec::decode,
    types::{Key, KeyValue},
};

/// A typed value and the first problem of its keys.
pub(super) type Read<T> = (Option<Arc<T>>, Option<Error>);

/// Reads the value of a snapshot, given the one before.
pub(super) trait Reading<T>: Send + 'static {
    fn read(&mut self, snapshot: &CacheSnapshot, last: Option<&Arc<T>>) -> Read<T>;
}

/// Reads one key.
#[derive(Debug)]
pub(super) struct OneKey {
    pub(super) key: Key,
    /// The pair that was decoded last, and its problem.
    seen: Option<(KeyValue, Option<Error>)>,
}

impl OneKey {
    pub(super) fn new(key: Key) -> Self {
        Self { key, seen: None }
    }

    pub(super) fn decode<T: DeserializeOwned>(
        &mut self,
        kv: Option<&KeyValue>,
        last: Option<&Arc<T>>,
    ) -> Read<T> {
        let Some(kv) = kv else {
            self.seen = None;
            let text = format!("the key {:?} does not exist", self.key);
            return (last.cloned(), Some(Error::new(ErrorKind::InvalidData, text)));
        };
        match &self.seen {
            Some((seen, error)) if seen == kv => return (last.cloned(), error.clone()),
            _ => {}
        }
        let (value, error) = match decode(kv) {
            Ok(value) => (Some(Arc::new(value)), None),
            Err(error) => (last.cloned(), Some(error)),
        };
        self.seen = Some((kv.clone(), error.clone()));
        (value, error)
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Reading<T> for OneKey {
    fn read(&mut self, snapshot: &CacheSnapshot, last: Option<&Arc<T>>) -> Read<T> {
        self.decode(snapshot.iter().next(), last)
    }
}

/// Reads all keys of a prefix.
#[derive(Debug, Default)]
pub(super) struct EachKey {
    /// The pair of each key that was decoded last, and its problem.
    seen: BTreeMap<Key, (KeyValue, Option<Error>)>,
}

impl EachKey {
    pub(super) fn decode<'a, V: DeserializeOwned>(
        &mut self,
        kvs: impl Iterator<Item = &'a KeyValue>,
        last: Option<&Arc<BTreeMap<Key, Arc<V>>>>,
    ) -> Read<BTreeMap<Key, Arc<V>>> {
        let (mut values, mut seen) = (BTreeMap::new(), BTreeMap::new());
        for kv in kvs {
            let key = Key::from(&kv.key);
            let kept = last.and_then(|last| last.get(&key)).cloned();
            let (value, error) = match self.seen.remove(&key) {
                Some((seen, error)) if seen == *kv => (kept, error),
                _ => match decode(kv) {
                    Ok(value) => (Some(Arc::new(value)), None),
                    Err(error) => (kept, Some(error)),
                },
            };
            if let Some(value) = value {
                values.insert(key.clone(), value);
            }
            seen.insert(key, (kv.clone(), error));
        }
        self.seen = seen;
        let error = self.seen.values().find_map(|(_, error)| error.clone());
        (Some(Arc::new(values)), error)
    }
}

impl<V: DeserializeOwned + Send + Sync + 'static> Reading<BTreeMap<Key, Arc<V>>> for EachKey {
    fn read(
        &mut self,
        snapshot: &CacheSnapshot,
        last: Option<&Arc<BTreeMap<Key, Arc<V>>>>,
    ) -> Read<BTreeMap<Key, Arc<V>>> {
        self.decode(snapshot.iter(), last)
    }
}
