//! One run of a transaction's function: what it reads at which revision, and its commit.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use etcd_client_core::{Get, GetResponse, Key, KeyRange, KeyValue, Put, Revision, Txn, TxnResponse, Value};

use super::{
    isolation::Isolation,
    reads::{Fetched, Reads},
    writes::Writes,
};
use crate::{Error, Store};

/// Why an attempt was not committed.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// Others changed what it had read. What it had read is known anew, at one revision, where etcd has said so.
    Conflict(Fetched),
    /// It is not to be repeated.
    Failed(Error),
}

/// One run.
pub(super) struct Attempt {
    store: Store,
    isolation: Isolation,
    state: Mutex<State>,
}

impl fmt::Debug for Attempt {
    /// Short: what was read and written may be large, and is the user's.
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
    /// What is known but was not read yet.
    fetched: Fetched,
    failed: Option<End>,
    over: bool,
}

impl Attempt {
    /// An attempt that knows some keys already.
    pub(super) fn begin(store: Store, isolation: Isolation, fetched: Fetched) -> Arc<Self> {
        let state = State {
            revision: fetched.revision,
            reads: Reads::default(),
            writes: Writes::default(),
            fetched,
            failed: None,
            over: false,
        };
        Arc::new(Self { store, isolation, state: Mutex::new(state) })
    }

    /// Reads keys that the function may want.
    pub(super) async fn prefetch(&self, keys: &[Key]) -> Result<(), Error> {
        let wanted: Vec<Key> = {
            let state = self.state();
            keys.iter().filter(|key| !state.fetched.keys.contains_key(*key)).cloned().collect()
        };
        if wanted.is_empty() {
            return Ok(());
        }
        match self.fetch(&wanted).await {
            Ok(kvs) => {
                let mut state = self.state();
                state.fetched.keys.extend(wanted.into_iter().zip(kvs));
                Ok(())
            }
            Err(End::Failed(error)) => Err(error),
            // The function meets the same when it reads.
            Err(End::Conflict(_)) => Ok(()),
        }
    }

    /// The values of keys, as the transaction sees them.
    pub(super) async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Value>>, Error> {
        let unknown: Vec<Key> = {
            let mut state = self.usable()?;
            keys.iter().filter(|key| !state.knows(key)).cloned().collect()
        };
        if !unknown.is_empty() {
            let kvs = self.spoiling(self.fetch(&unknown).await)?;
            let mut state = self.usable()?;
            for (key, kv) in unknown.into_iter().zip(kvs) {
                state.reads.add_key(key, kv);
            }
        }
        let state = self.usable()?;
        Ok(keys.iter().map(|key| state.value(key)).collect())
    }

    /// The pairs of a range, as the transaction sees them.
    pub(super) async fn range(&self, range: KeyRange) -> Result<Vec<(Key, Value)>, Error> {
        let known = self.usable()?.reads.range(&range).is_some();
        if !known {
            let get = Get::from_range(range.clone());
            let (mut responses, revision) = self.spoiling(self.read(vec![get]).await)?;
            let kvs = responses.pop().map(|response| response.kvs).unwrap_or_default();
            let mut state = self.usable()?;
            if state.reads.range(&range).is_none() {
                state.reads.add_range(range.clone(), kvs, revision);
            }
        }
        let state = self.usable()?;
        Ok(state.writes.over(&range, state.reads.range(&range).unwrap_or_default()))
    }

    /// The revision that last changed a key that was read; zero for a missing one.
    pub(super) async fn revision(&self, key: Key) -> Result<Revision, Error> {
        let known = self.usable()?.knows_read(&key);
        if !known {
            let kv = self.spoiling(self.fetch(std::slice::from_ref(&key)).await)?.pop().flatten();
            self.usable()?.reads.add_key(key.clone(), kv);
        }
        let state = self.usable()?;
        let kv = state.reads.key(&key).and_then(Option::as_ref);
        Ok(kv.map_or(Revision::ZERO, |kv| kv.mod_revision))
    }

    pub(super) fn put(&self, put: Put) {
        self.state().writes.put(put);
    }

    pub(super) fn delete(&self, key: Key) {
        self.state().writes.delete(key);
    }

    /// What spoilt the attempt, if anything did. Ends it.
    pub(super) fn failed(&self) -> Option<End> {
        let mut state = self.state();
        state.over = true;
        state.failed.take()
    }

    /// Writes what is to be written if what was read is still so, and says at which revision that was.
    pub(super) async fn commit(&self) -> Result<Revision, End> {
        let (txn, again) = {
            let state = self.state();
            // A repeatable read may come from a member that lags behind: even a single one has to be checked.
            let snapshot = self.isolation.pins_revision();
            let proven = snapshot || !self.isolation.minds_reads() || state.reads.is_empty();
            if state.writes.is_empty() && proven {
                return Ok(state.revision);
            }
            (state.commit(self.isolation), state.reads.keys().cloned().collect::<Vec<_>>())
        };
        let response = txn.bind(self.store.kv()).await.map_err(|error| End::Failed(error.into()))?;
        if response.succeeded() {
            return Ok(response.header.revision);
        }
        let kvs = response.responses().iter().map(|one| one.as_get().and_then(GetResponse::first).cloned());
        let keys = again.into_iter().zip(kvs).collect();
        Err(End::Conflict(Fetched { revision: response.header.revision, keys }))
    }

    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<KeyValue>>, End> {
        let gets = keys.iter().map(Get::new).collect();
        let (responses, _) = self.read(gets).await?;
        Ok(responses.into_iter().map(GetResponse::into_first).collect())
    }

    /// One request at the revision of this attempt, which the first one makes.
    async fn read(&self, gets: Vec<Get>) -> Result<(Vec<GetResponse>, Revision), End> {
        loop {
            let pinned = if self.isolation.pins_revision() { self.state().revision } else { Revision::ZERO };
            let response = self.request(&gets, pinned).await.map_err(ended)?;
            let (at, count) = (response.header.revision, response.responses().len());
            let read: Vec<_> =
                response.into_responses().into_iter().filter_map(|one| one.into_get()).collect();
            if count != gets.len() || read.len() != count {
                let error = etcd_client_core::Error::new(
                    etcd_client_core::ErrorKind::Protocol,
                    "the answer has another shape than the request",
                );
                return Err(End::Failed(error.into()));
            }
            let mut state = self.state();
            if state.revision == 0 {
                state.revision = at;
            }
            // Another read of this attempt, made at the same time, may have been the first.
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

    /// Notes that the attempt is spoilt.
    fn spoiling<T>(&self, result: Result<T, End>) -> Result<T, Error> {
        result.map_err(|end| {
            let error = match &end {
                End::Conflict(_) => Error::Finished,
                End::Failed(error) => error.clone(),
            };
            self.state().failed.get_or_insert(end);
            error
        })
    }

    fn usable(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.state();
        if state.over { Err(Error::Finished) } else { Ok(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The revision of the attempt was compacted: a later one has another.
fn ended(error: etcd_client_core::Error) -> End {
    if error.is_compacted() { End::Conflict(Fetched::default()) } else { End::Failed(error.into()) }
}

impl State {
    fn knows(&mut self, key: &Key) -> bool {
        self.writes.value(key).is_some() || self.knows_read(key)
    }

    /// Whether a key was read; what was fetched before counts as read from now on.
    fn knows_read(&mut self, key: &Key) -> bool {
        if let Some(kv) = self.fetched.keys.remove(key) {
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
        if isolation.minds_reads() {
            txn =
                txn.when(self.reads.unchanged()).or_else(self.reads.keys().map(Get::new).collect::<Vec<_>>());
        }
        if isolation.minds_writes() && self.revision != 0 {
            txn = txn.when(self.writes.unchanged_since(self.revision, &self.reads));
        }
        txn
    }
}
