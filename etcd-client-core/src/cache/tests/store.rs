//! An in-memory store with one watch at a time, to test caches without a server.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::{
    cache::replica::covered_range::Span,
    kv::{Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse},
    request::CallOptions,
    txn::{Txn, TxnResponse},
    types::{Event, KeyValue, ResponseHeader, Revision},
    watch::{Watch, WatchResponse, WatchSender, WatchService, WatchStream},
};

type Model = BTreeMap<Bytes, KeyValue>;

#[derive(Debug, Default)]
pub(crate) struct Store {
    state: Mutex<State>,
    sender: AsyncMutex<Option<WatchSender>>,
    watched: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The pairs after each revision, indexed by revision.
    history: Vec<Model>,
    compacted: usize,
    /// The start revision of each watch so far.
    starts: Vec<i64>,
    gets: usize,
    rejection: Option<Error>,
}

impl Store {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies changes at one revision without sending events.
    pub(crate) fn change(&self, changes: &[(&str, Option<&str>)]) -> (i64, Vec<Event>) {
        let mut state = self.state();
        let mut model = state.history.last().cloned().unwrap_or_default();
        if state.history.is_empty() {
            state.history.push(Model::new());
        }
        let revision = i64::try_from(state.history.len()).expect("small");
        let mut events = Vec::new();
        for &(key, value) in changes {
            let before = model.remove(key.as_bytes());
            match value {
                Some(value) => {
                    let created = before.map_or(revision, |kv| kv.create_revision.get());
                    let kv = KeyValue::new(key, value).with_revisions(created, revision);
                    model.insert(kv.key.clone(), kv.clone());
                    events.push(Event::put(kv));
                }
                None => events.push(Event::delete(KeyValue::new(key, "").with_revisions(0, revision))),
            }
        }
        state.history.push(model);
        (revision, events)
    }

    /// Applies changes and sends their events to the watch.
    pub(crate) async fn commit(&self, changes: &[(&str, Option<&str>)]) -> i64 {
        let (revision, events) = self.change(changes);
        self.send(WatchResponse::events(header(revision), events)).await;
        revision
    }

    pub(crate) async fn write(&self, key: &str, value: &str) -> i64 {
        self.commit(&[(key, Some(value))]).await
    }

    pub(crate) async fn send(&self, response: WatchResponse) {
        let sender = self.sender.lock().await;
        assert!(sender.as_ref().expect("a watch").send(response).await, "the watch was dropped");
    }

    /// Sends a progress notification at the current revision.
    pub(crate) async fn progress(&self) {
        let header = header(self.revision());
        self.send(WatchResponse::progress(header)).await;
    }

    /// Compacts the history and fails the watch for this reason.
    pub(crate) async fn compact_under_the_watch(&self) {
        self.state().compacted = usize::try_from(self.revision()).expect("positive");
        self.fail(compacted()).await;
    }

    pub(crate) async fn fail(&self, error: Error) {
        self.sender.lock().await.take().expect("a watch").fail(error).await;
    }

    /// Waits until there is a watch again after the last one has failed.
    pub(crate) async fn is_watched(&self) {
        while self.sender.lock().await.is_none() {
            self.watched.notified().await;
        }
    }

    /// Waits until the watch is cancelled.
    pub(crate) async fn is_left(&self) {
        self.sender.lock().await.as_ref().expect("a watch").closed().await;
    }

    pub(crate) fn reject(&self, rejection: Option<Error>) {
        self.state().rejection = rejection;
    }

    pub(crate) fn revision(&self) -> i64 {
        i64::try_from(self.state().history.len().saturating_sub(1)).expect("small")
    }

    pub(crate) fn starts(&self) -> Vec<i64> {
        self.state().starts.clone()
    }

    /// Returns the number of gets so far, including pages.
    pub(crate) fn gets(&self) -> usize {
        self.state().gets
    }
}

fn header(revision: i64) -> ResponseHeader {
    ResponseHeader { revision: Revision::new(revision), ..ResponseHeader::default() }
}

fn compacted() -> Error {
    Error::new(ErrorKind::Server, "compacted").with_code(Code::Compacted)
}

fn reject<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Protocol, "a mock"))
}

#[async_trait]
impl KvService for Store {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        let mut state = self.state();
        state.gets += 1;
        if let Some(error) = &state.rejection {
            return Err(error.clone());
        }
        let (current, spec) = (state.history.len().saturating_sub(1), &op);
        let at = usize::try_from(spec.revision.get()).expect("positive");
        if at != 0 && at < state.compacted {
            return Err(compacted());
        }
        let model = state.history.get(if at == 0 { current } else { at }).cloned().unwrap_or_default();
        let span = Span::of(&spec.range);
        let mut kvs: Vec<KeyValue> = model.into_values().filter(|kv| span.has(&kv.key)).collect();
        let (count, limit) = (kvs.len(), usize::try_from(spec.limit).expect("positive"));
        if limit > 0 {
            kvs.truncate(limit);
        }
        let more = kvs.len() < count;
        if spec.count_only {
            kvs.clear();
        }
        let header = header(i64::try_from(current).expect("small"));
        Ok(GetResponse::new(header, kvs).with_count(count as u64).with_more(more))
    }

    async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> {
        reject()
    }

    async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        reject()
    }

    async fn txn(&self, _: Txn, _: CallOptions) -> Result<TxnResponse, Error> {
        reject()
    }

    async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        reject()
    }
}

#[async_trait]
impl WatchService for Store {
    async fn watch(&self, op: Watch, _: CallOptions) -> Result<WatchStream, Error> {
        let start = op.start_revision.get();
        {
            let mut state = self.state();
            state.starts.push(start);
            if let Some(error) = &state.rejection {
                return Err(error.clone());
            }
            assert_eq!(usize::try_from(start).expect("positive"), state.history.len(), "no event is missed");
        }
        let (sender, handle) = WatchStream::channel(1024);
        *self.sender.lock().await = Some(sender);
        self.watched.notify_waiters();
        Ok(handle)
    }
}
