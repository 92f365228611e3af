//! What a cache of many keys costs: memory per key, and the time of a listing, a lookup, a snapshot and a change.
//!
//! 50,000 keys, or as many as `ETCD_CACHE_KEYS` says. The times are printed and judged by nobody; the memory is.

use std::sync::{Arc, Mutex};

use allocation_counter::measure;
use async_trait::async_trait;
use bytes::Bytes;
use etcd_client_core::{
    Cache, CallOptions, Delete, Error, ErrorKind, Event, Get, KeyValue, Put, Revision, Txn, Watch,
    kv::{Compact, CompactResponse, DeleteResponse, GetResponse, KvService, PutResponse},
    txn::TxnResponse,
    types::{KeyRange, ResponseHeader},
    watch::{WatchResponse, WatchSender, WatchService, WatchStream},
};
use tokio::time::Instant;

use crate::fake_member::current_thread;

const KEY: usize = 24;
const VALUE: usize = 100;

/// Beside the bytes of key and value: node and entry of the tree, revisions, version, lease, and two handles on one buffer.
const MOST_OVERHEAD: usize = 210;

/// A store of `count` keys, made when they are asked for, and a watch that the test feeds.
#[derive(Debug)]
struct Keys {
    count: usize,
    watch: Mutex<Option<WatchSender>>,
}

fn key(index: usize) -> Bytes {
    format!("registry/pods/{index:010}").into()
}

fn index(key: &[u8]) -> usize {
    let digits = key.get(KEY - 10..KEY).and_then(|digits| str::from_utf8(digits).ok());
    let index = digits.and_then(|digits| digits.parse::<usize>().ok());
    index.map_or(0, |index| index + usize::from(key.len() > KEY))
}

fn header() -> ResponseHeader {
    let mut header = ResponseHeader::default();
    header.revision = Revision::new(1);
    header
}

fn refuse<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Protocol, "a mock"))
}

#[async_trait]
impl KvService for Keys {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        let first = index(&op.range.bounds().0);
        let limit = usize::try_from(op.limit).expect("positive");
        let end = if op.count_only { first } else { self.count.min(first + limit) };
        let kvs = (first..end).map(|i| KeyValue::new(key(i), vec![b'v'; VALUE])).collect();
        Ok(GetResponse::new(header(), kvs).with_more(end < self.count))
    }

    async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> {
        refuse()
    }

    async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> {
        refuse()
    }

    async fn txn(&self, _: Txn, _: CallOptions) -> Result<TxnResponse, Error> {
        refuse()
    }

    async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> {
        refuse()
    }
}

#[async_trait]
impl WatchService for Keys {
    async fn watch(&self, _: Watch, _: CallOptions) -> Result<WatchStream, Error> {
        let (sender, handle) = WatchStream::channel(64);
        *self.watch.lock().expect("no panic") = Some(sender);
        Ok(handle)
    }
}

#[test]
fn a_cached_key_takes_little_more_than_itself() {
    let count = std::env::var("ETCD_CACHE_KEYS").ok().map_or(50_000, |keys| keys.parse().expect("a number"));
    let runtime = current_thread();
    let store = Arc::new(Keys { count, watch: Mutex::default() });
    let mut cache = None;
    let began = Instant::now();
    let listed = measure(|| {
        runtime.block_on(async {
            let range = KeyRange::prefix("registry/");
            let started = Cache::from_services(Arc::clone(&store) as _, Arc::clone(&store) as _, range)
                .start()
                .expect("a cache");
            started.ready().await.expect("ready");
            cache = Some(started);
        });
    });
    let (cache, listing) = (cache.expect("made"), began.elapsed());
    let snapshot = cache.snapshot().expect("ready");
    assert_eq!(snapshot.len(), count);
    let per_key = usize::try_from(listed.bytes_current).expect("positive") / count;

    const LOOKUPS: usize = 200_000;
    let began = Instant::now();
    for i in 0..LOOKUPS {
        let found = snapshot.get(key(i.wrapping_mul(7919) % count)).expect("inside");
        assert!(found.is_some());
    }
    let lookup = began.elapsed() / u32::try_from(LOOKUPS).expect("few");
    let began = Instant::now();
    assert_eq!(snapshot.iter().map(|kv| kv.value.len()).sum::<usize>(), count * VALUE);
    let pass = began.elapsed();
    let (change, held) = changes(&runtime, &cache, &store);
    println!(
        "a cache of {count} keys of {KEY} bytes with values of {VALUE}: {per_key} bytes per key, listed in {listing:?}, \
         {lookup:?} per lookup (with the key's making), {pass:?} for a pass, {change:?} per change, {held} bytes per \
         revision in the history"
    );
    assert!(per_key < KEY + VALUE + MOST_OVERHEAD, "{per_key} bytes per key");
}

/// Changes single keys, one a revision: what each takes, in time and in the memory of the history.
fn changes(runtime: &tokio::runtime::Runtime, cache: &Cache, store: &Keys) -> (std::time::Duration, i64) {
    const CHANGES: i64 = 1024;
    let sender = store.watch.lock().expect("no panic").take().expect("a watch");
    let began = Instant::now();
    let counted = measure(|| {
        runtime.block_on(async {
            for revision in 2..2 + CHANGES {
                let at = usize::try_from(revision).expect("positive").wrapping_mul(7919) % store.count;
                let kv = KeyValue::new(key(at), vec![b'w'; VALUE]).with_revisions(1, revision);
                assert!(sender.send(WatchResponse::events(header(), vec![Event::put(kv)])).await);
            }
            cache.wait_for_revision(1 + CHANGES).await.expect("reached");
        });
    });
    *store.watch.lock().expect("no panic") = Some(sender);
    (began.elapsed() / u32::try_from(CHANGES).expect("few"), counted.bytes_current / CHANGES)
}
