//! One attempt of a transaction: its reads, its writes and its commit.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use etcd_client_core::{
    ErrorKind, Get, Key, KeyValue, Put, Revision, Txn, Value, kv::GetResponse, txn::TxnResponse,
    types::KeyRange,
};

use super::{
    isolation::Isolation,
    reads::{Prefetched, Reads},
    writes::Writes,
};
use crate::{Error, Store};

/// The reason why an attempt was not committed.
#[derive(Clone, Debug)]
pub(super) enum Abort {
    /// Other writers changed keys that the attempt had read. If etcd returned their current state, the next attempt starts with it.
    Conflict(Prefetched),
    /// An error after which the transaction is not retried.
    Failed(Error),
}

/// One attempt.
pub(super) struct Attempt {
    store: Store,
    isolation: Isolation,
    state: Mutex<State>,
}

impl fmt::Debug for Attempt {
    /// Omits the reads and writes, which may be large and confidential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("isolation", &self.isolation).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    /// The revision of the first read; zero before it.
    revision: Revision,
    reads: Reads,
    writes: Writes,
    /// Keys that were fetched but that the function has not read yet.
    prefetched: Prefetched,
    abort: Option<Abort>,
    finished: bool,
}

impl Attempt {
    /// Starts an attempt with keys that are already known.
    pub(super) fn begin(store: Store, isolation: Isolation, prefetched: Prefetched) -> Arc<Self> {
        let state = State {
            revision: prefetched.revision,
            reads: Reads::default(),
            writes: Writes::default(),
            prefetched,
            abort: None,
            finished: false,
        };
        Arc::new(Self { store, isolation, state: Mutex::new(state) })
    }

    /// Fetches keys that the function may read.
    pub(super) async fn prefetch(&self, keys: &[Key]) -> Result<(), Error> {
        let wanted: Vec<Key> = {
            let state = self.state();
            keys.iter().filter(|key| !state.prefetched.keys.contains_key(*key)).cloned().collect()
        };
        if wanted.is_empty() {
            return Ok(());
        }
        match self.fetch(&wanted).await {
            Ok(kvs) => {
                let mut state = self.state();
                state.prefetched.keys.extend(wanted.into_iter().zip(kvs));
                Ok(())
            }
            Err(Abort::Failed(error)) => Err(error),
            // The function gets the same conflict when it reads.
            Err(Abort::Conflict(_)) => Ok(()),
        }
    }

    /// Returns the values of keys, as the transaction sees them.
    pub(super) async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Value>>, Error> {
        let unknown: Vec<Key> = {
            let mut state = self.active_state()?;
            keys.iter().filter(|key| !state.knows(key)).cloned().collect()
        };
        if !unknown.is_empty() {
            let kvs = self.record_abort(self.fetch(&unknown).await)?;
            let mut state = self.active_state()?;
            for (key, kv) in unknown.into_iter().zip(kvs) {
                state.reads.add_key(key, kv);
            }
        }
        let state = self.active_state()?;
        Ok(keys.iter().map(|key| state.value(key)).collect())
    }

    /// Returns the pairs of a range, as the transaction sees them.
    pub(super) async fn range(&self, range: KeyRange) -> Result<Vec<(Key, Value)>, Error> {
        let known = self.active_state()?.reads.range(&range).is_some();
        if !known {
            let get = Get::from_range(range.clone());
            let (mut responses, revision) = self.record_abort(self.read(vec![get]).await)?;
            let kvs = responses.pop().map(|response| response.kvs).unwrap_or_default();
            let mut state = self.active_state()?;
            if state.reads.range(&range).is_none() {
                state.reads.add_range(range.clone(), kvs, revision);
            }
        }
        let state = self.active_state()?;
        Ok(state.writes.overlay(&range, state.reads.range(&range).unwrap_or_default()))
    }

    /// Returns the mod revision of a key as it was read, or zero for a missing key.
    pub(super) async fn revision(&self, key: Key) -> Result<Revision, Error> {
        let known = self.active_state()?.knows_read(&key);
        if !known {
            let kv = self.record_abort(self.fetch(std::slice::from_ref(&key)).await)?.pop().flatten();
            self.active_state()?.reads.add_key(key.clone(), kv);
        }
        let state = self.active_state()?;
        let kv = state.reads.key(&key).and_then(Option::as_ref);
        Ok(kv.map_or(Revision::ZERO, |kv| kv.mod_revision))
    }

    pub(super) fn put(&self, put: Put) {
        self.state().writes.put(put);
    }

    pub(super) fn delete(&self, key: Key) {
        self.state().writes.delete(key);
    }

    /// Finishes the attempt: later reads fail. Returns the reason if a read has failed it.
    pub(super) fn finish(&self) -> Option<Abort> {
        let mut state = self.state();
        state.finished = true;
        state.abort.take()
    }

    /// Writes if the keys that were read have not changed, and returns the revision of the commit.
    pub(super) async fn commit(&self) -> Result<Revision, Abort> {
        let (txn, again) = {
            let state = self.state();
            // Linearizable reads of one revision need no check. A repeatable read may come from a member that lags behind, so
            // even a single one has to be checked.
            let snapshot = self.isolation.pins_revision();
            let proven = snapshot || !self.isolation.checks_reads() || state.reads.is_empty();
            if state.writes.is_empty() && proven {
                return Ok(state.revision);
            }
            (state.commit(self.isolation), state.reads.keys().cloned().collect::<Vec<_>>())
        };
        let response = txn.bind(self.store.kv()).await.map_err(|error| Abort::Failed(error.into()))?;
        if response.succeeded() {
            return Ok(response.header.revision);
        }
        let kvs = response.responses().iter().map(|one| one.as_get().and_then(GetResponse::first).cloned());
        let keys = again.into_iter().zip(kvs).collect();
        Err(Abort::Conflict(Prefetched { revision: response.header.revision, keys }))
    }

    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<KeyValue>>, Abort> {
        let gets = keys.iter().map(Get::new).collect();
        let (responses, _) = self.read(gets).await?;
        Ok(responses.into_iter().map(GetResponse::into_first).collect())
    }

    /// Sends one request at the revision of this attempt, which the first read determines.
    async fn read(&self, gets: Vec<Get>) -> Result<(Vec<GetResponse>, Revision), Abort> {
        loop {
            let pinned = if self.isolation.pins_revision() { self.state().revision } else { Revision::ZERO };
            let response = self.request(&gets, pinned).await.map_err(abort)?;
            let (at, count) = (response.header.revision, response.responses().len());
            let read: Vec<_> =
                response.into_responses().into_iter().filter_map(|one| one.into_get()).collect();
            if count != gets.len() || read.len() != count {
                // A read: unlike a malformed response to a write, it has no effect.
                let text = "the response does not match the request";
                let error = etcd_client_core::Error::new(ErrorKind::Protocol, text);
                return Err(Abort::Failed(error.into()));
            }
            let mut state = self.state();
            if state.revision == 0 {
                state.revision = at;
            }
            // Two concurrent reads may both have been sent without a revision. The one whose revision is not the attempt's is
            // repeated at the attempt's revision.
            if !self.isolation.pins_revision() || pinned != 0 || state.revision == at {
                let revision = if pinned == 0 { at } else { pinned };
                return Ok((read, revision));
            }
        }
    }

    async fn request(&self, gets: &[Get], at: Revision) -> Result<TxnResponse, etcd_client_core::Error> {
        let stale = !self.isolation.pins_revision();
        let get = |get: &Get| {
            let get = get.clone().revision(at);
            if stale { get.serializable() } else { get }
        };
        if let [one] = gets {
            let response = get(one).bind(self.store.kv()).await?;
            let header = response.header;
            return Ok(TxnResponse::new(header, true, vec![response.into()]));
        }
        let gets: Vec<Get> = gets.iter().map(get).collect();
        Txn::new().then(gets).bind(self.store.kv()).await
    }

    /// Records that a read has failed the attempt. The first reason stays.
    fn record_abort<T>(&self, result: Result<T, Abort>) -> Result<T, Error> {
        result.map_err(|abort| {
            let error = match &abort {
                Abort::Conflict(_) => Error::TxnFinished,
                Abort::Failed(error) => error.clone(),
            };
            self.state().abort.get_or_insert(abort);
            error
        })
    }

    fn active_state(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.state();
        if state.finished { Err(Error::TxnFinished) } else { Ok(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Converts a client error. If the attempt's revision was compacted, the next attempt reads a later one.
fn abort(error: etcd_client_core::Error) -> Abort {
    if error.is_compacted() { Abort::Conflict(Prefetched::default()) } else { Abort::Failed(error.into()) }
}

impl State {
    fn knows(&mut self, key: &Key) -> bool {
        self.writes.value(key).is_some() || self.knows_read(key)
    }

    /// Returns whether a key was read. A prefetched key counts as read from now on.
    fn knows_read(&mut self, key: &Key) -> bool {
        if let Some(kv) = self.prefetched.keys.remove(key) {
            self.reads.add_key(key.clone(), kv);
        }
        self.reads.key(key).is_some()
    }

    fn value(&self, key: &Key) -> Option<Value> {
        let read = || self.reads.key(key)?.as_ref().map(|kv| Value::from(&kv.value));
        self.writes.value(key).unwrap_or_else(read)
    }

    fn commit(&self, isolation: Isolation) -> Txn {
        let mut txn = Txn::new().then(self.writes.ops());
        if isolation.checks_reads() {
            txn =
                txn.when(self.reads.unchanged()).or_else(self.reads.keys().map(Get::new).collect::<Vec<_>>());
        }
        if isolation.checks_writes() && self.revision != 0 {
            txn = txn.when(self.writes.unchanged_since(self.revision, &self.reads));
        }
        txn
    }
}
