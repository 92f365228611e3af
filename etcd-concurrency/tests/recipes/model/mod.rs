//! A model of etcd in memory: keys with history, watches and leases, on virtual time. It counts the requests.

mod faults;
mod journal;
mod kv;
mod lease;
mod mvcc;
mod watch;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use etcd_client_core::{
    Delete, Event, Get, Key, KeyValue, LeaseId, Put, Revision, kv::KvService, watch::WatchService,
};
use etcd_concurrency::{Session, Store};
use faults::Faults;
pub(crate) use faults::{Chaos, Fault};
use mvcc::Mvcc;
use watch::Watcher;

/// The time that a request takes, and its response.
pub(crate) const HALF_TRIP: Duration = Duration::from_micros(500);

/// The prefix of the sessions' tokens.
const TOKENS: &[u8] = b"__entry/";

/// The number of requests that the model received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) reads: usize,
    pub(crate) writes: usize,
    pub(crate) creates: usize,
    pub(crate) cancels: usize,
}

impl Counts {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            creates: self.creates - before.creates,
            cancels: self.cancels - before.cancels,
        }
    }
}

/// The model. Clones refer to the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    mvcc: Mvcc,
    counts: Counts,
    watchers: Vec<Watcher>,
    most_woken: usize,
    faults: Faults,
    journal: journal::Journal,
    leases: lease::LeaseClient,
}

impl Model {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("not poisoned")
    }

    pub(crate) fn store(&self) -> Store {
        self.store_without_leases().with_leases(Arc::new(self.clone()))
    }

    /// Returns a store without a lease service.
    pub(crate) fn store_without_leases(&self) -> Store {
        Store::new(
            Arc::new(self.clone()) as Arc<dyn KvService>,
            Arc::new(self.clone()) as Arc<dyn WatchService>,
        )
    }

    /// Starts a session on a lease that is renewed until it is frozen, revoked or dropped.
    pub(crate) fn session(&self, ttl: Duration) -> Session {
        Session::builder(self.store()).start(self.keep(ttl))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.inner().counts
    }

    pub(crate) fn revision(&self) -> Revision {
        self.inner().mvcc.revision().into()
    }

    /// Returns the keys with a prefix in the order of their creation, without the tokens of sessions.
    pub(crate) fn queue(&self, prefix: &str) -> Vec<KeyValue> {
        let mut kvs = self.inner().mvcc.get(&Get::new(prefix).prefix()).expect("a read").kvs;
        kvs.retain(|kv| !kv.key.starts_with(TOKENS));
        kvs.sort_by_key(|kv| kv.create_revision);
        kvs
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let name = |kv: KeyValue| String::from_utf8_lossy(&kv.key).into_owned();
        self.queue(prefix).into_iter().map(name).collect()
    }

    /// Returns the number of tokens.
    pub(crate) fn tokens(&self) -> usize {
        let all = Get::new(TOKENS).prefix();
        self.inner().mvcc.get(&all).expect("a read").kvs.len()
    }

    /// Returns the keys below a prefix that were put with a lower number than before.
    pub(crate) fn restored_values(&self, prefix: &str) -> Vec<String> {
        let inner = self.inner();
        let events = inner.mvcc.events_from(0).expect("nothing was compacted");
        let number = |kv: &KeyValue| String::from_utf8_lossy(&kv.value).parse::<u32>().expect("a number");
        let restored = |event: &Event| {
            let before = event.prev_kv.as_ref()?;
            let lower = !event.is_delete()
                && event.kv.key.starts_with(prefix.as_bytes())
                && number(&event.kv) < number(before);
            lower.then(|| format!("{event:?}"))
        };
        events.iter().filter_map(restored).collect()
    }

    /// Puts a key as another client would, without counting it.
    pub(crate) fn put(&self, key: impl Into<Key>, value: &str) {
        self.change(|mvcc| {
            mvcc.put(Put::new(key, value.to_owned())).expect("a put");
        });
    }

    /// Puts a key with a lease, without counting it.
    pub(crate) fn put_with_lease(&self, key: impl Into<Key>, value: &str, lease: LeaseId) {
        self.change(|mvcc| {
            mvcc.put(Put::new(key, value.to_owned()).lease(lease)).expect("a put");
        });
    }

    /// Deletes all tokens, as an operator may.
    pub(crate) fn delete_tokens(&self) {
        self.change(|mvcc| mvcc.delete(&Delete::new(TOKENS).prefix()));
    }

    /// Deletes a key as another client would, without counting it.
    pub(crate) fn delete(&self, key: impl Into<Key>) {
        self.change(|mvcc| {
            mvcc.delete(&Delete::new(key));
        });
    }

    /// Compacts the history before the current revision. Existing watches have received it.
    pub(crate) fn compact(&self) {
        let mut inner = self.inner();
        let now = inner.mvcc.revision();
        inner.mvcc.compact(now).expect("the present can be compacted");
    }

    /// Makes a change at a new revision, and notifies the watches.
    fn change<T>(&self, change: impl FnOnce(&mut Mvcc) -> T) -> T {
        let mut inner = self.inner();
        inner.mvcc.begin();
        let changed = change(&mut inner.mvcc);
        let events: Vec<Event> = inner.mvcc.commit();
        inner.tell(&events);
        changed
    }

    /// Returns the maximum number of watches that received one deletion.
    pub(crate) fn most_woken(&self) -> usize {
        self.inner().most_woken
    }
}
