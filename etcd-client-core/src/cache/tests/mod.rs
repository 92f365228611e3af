//! Tests of caches on an in-memory store with a scripted watch.

pub(crate) mod store;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use etcd_errors::{Code, Error, ErrorKind, GrpcCode};
use futures_core::future::BoxFuture;
use futures_util::StreamExt as _;
use tokio::{sync::Mutex as AsyncMutex, time::timeout};

use super::*;
use crate::{
    cache::tests::store::Store,
    kv::{SortOrder, SortTarget},
    request::CallOptions,
    types::ResponseHeader,
    watch::{Watch, WatchControl, WatchCounters, WatchResponse, WatchSender, WatchStatus, WatchStream},
};

const PATIENCE: Duration = Duration::from_secs(60);

fn builder(store: &Arc<Store>) -> CacheBuilder {
    let (kv, watch): (Arc<dyn KvService>, Arc<dyn WatchService>) =
        (Arc::clone(store) as _, Arc::clone(store) as _);
    Cache::from_services(kv, watch, KeyRange::prefix("k/"))
}

/// Starts a cache on a store with two keys inside its range and others around it.
async fn live(with: impl FnOnce(CacheBuilder) -> CacheBuilder) -> (Arc<Store>, Cache) {
    let store = Arc::new(Store::default());
    store.change(&[("a", Some("")), ("k/1", Some("one")), ("k/2", Some("two")), ("z", Some(""))]);
    let cache = with(builder(&store)).start().expect("a cache");
    timeout(PATIENCE, cache.ready()).await.expect("in time").expect("ready");
    (store, cache)
}

/// Returns keys and values as text.
fn shown<'a>(kvs: impl IntoIterator<Item = &'a KeyValue>) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    kvs.into_iter().map(|kv| (text(&kv.key), text(&kv.value))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn reached(cache: &Cache, revision: i64) -> CacheSnapshot {
    timeout(PATIENCE, cache.wait_for_revision(revision)).await.expect("in time").expect("reached")
}

async fn next(changes: &mut CacheChanges) -> CacheChange {
    timeout(PATIENCE, changes.next()).await.expect("in time").expect("a change").expect("a change")
}

#[tokio::test]
async fn cache_lists_once_and_follows_with_one_watch() {
    let (store, cache) = live(|builder| builder).await;
    let first = cache.snapshot().expect("listed");
    assert_eq!(shown(first.iter()), pairs(&[("k/1", "one"), ("k/2", "two")]));
    assert_eq!((first.revision().get(), first.len(), first.is_empty()), (1, 2, false));
    assert!(matches!(cache.status(), CacheStatus::Live));

    let last = store.commit(&[("k/1", None), ("k/3", Some("three")), ("a", Some("foreign"))]).await;
    let second = reached(&cache, last).await;
    assert_eq!(shown(second.iter()), pairs(&[("k/2", "two"), ("k/3", "three")]));
    assert_eq!(cache.get("k/3").expect("inside").expect("there").mod_revision, last);
    assert_eq!(cache.get("k/1").expect("inside"), None);
    assert_eq!(shown(first.iter()), pairs(&[("k/1", "one"), ("k/2", "two")]), "a snapshot stays what it was");
    assert_eq!(store.starts(), [2], "one watch, from the revision after the listing");
}

#[test]
fn cache_ends_with_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (_store, cache) = runtime.block_on(live(|builder| builder));
    cache.get("k/1").expect("live");
    drop(runtime);
    for error in [cache.get("k/1").map(drop), cache.snapshot().map(drop), cache.subscribe().map(drop)] {
        assert_eq!(error.expect_err("nothing follows the store").kind(), ErrorKind::NoRuntime);
    }
    assert!(matches!(cache.status(), CacheStatus::Ended { .. }));
}

#[tokio::test]
async fn snapshot_at_reads_revisions_within_the_window() {
    let (store, cache) = live(|builder| builder.history(3)).await;
    for value in ["a", "b", "c"] {
        store.write("k/1", value).await;
    }
    let now = reached(&cache, 4).await;
    let at = |revision: i64| cache.snapshot_at(revision);
    assert_eq!(at(2).expect("kept").get("k/1").expect("inside").expect("there").value, "a");
    assert_eq!(at(3).expect("kept").revision(), 3);
    assert_eq!(shown(at(4).expect("now").iter()), shown(now.iter()));
    let compacted = at(1).expect_err("too old");
    assert_eq!((compacted.kind(), compacted.code()), (ErrorKind::InvalidRequest, Some(Code::Compacted)));
    let future = at(5).expect_err("not yet");
    assert_eq!((future.code(), future.field()), (Some(Code::FutureRev), Some("revision")));
    let read = cache.read(Get::new("k/1").revision(3)).await.expect("kept");
    assert_eq!((&read.kvs[0].value[..], read.header.revision.get()), (&b"b"[..], 3));
    assert!(cache.read(Get::new("k/1").revision(1)).await.expect_err("too old").is_compacted());
}

#[tokio::test]
async fn keys_outside_of_the_range_are_rejected() {
    let (store, cache) = live(|builder| builder).await;
    let before = store.gets();
    let snapshot = cache.snapshot().expect("listed");
    assert_eq!(cache.get("a").expect_err("outside").field(), Some("key"));
    for range in [KeyRange::prefix("k"), KeyRange::from_key("k/1"), KeyRange::all(), KeyRange::one("z")] {
        let error = snapshot.range(&range).map(drop).expect_err("outside");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("range_end")));
        let error = cache.read(Get::from_range(range)).await.expect_err("outside");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
    let some = snapshot.range(&KeyRange::between("k/2", "k0")).expect("inside");
    assert_eq!(shown(some), pairs(&[("k/2", "two")]));
    let error = cache.read(Get::new("").prefix().from_key()).await.expect_err("two ranges");
    assert_eq!(error.field(), Some("range_end"));
    assert_eq!(store.gets(), before, "nobody was asked");
}

#[tokio::test]
async fn reads_before_the_list_are_unavailable() {
    let store = Arc::new(Store::default());
    store.change(&[("k/1", Some("one"))]);
    store.reject(Some(Error::new(ErrorKind::Unavailable, "nobody is there")));
    let cache = builder(&store).start().expect("a cache");
    for error in [
        cache.snapshot().map(drop),
        cache.get("k/1").map(drop),
        cache.snapshot_at(1).map(drop),
        cache.subscribe().map(drop),
        cache.read(Get::new("k/1")).await.map(drop),
    ] {
        assert_eq!(error.expect_err("not ready").kind(), ErrorKind::Unavailable);
    }
    assert!(matches!(cache.status(), CacheStatus::Starting { .. }));
    store.reject(None);
    timeout(PATIENCE, cache.ready()).await.expect("in time").expect("ready after all");
}

#[tokio::test(start_paused = true)]
async fn ready_reports_denied_permission_and_retries() {
    let store = Arc::new(Store::default());
    store.change(&[("k/1", Some("one"))]);
    let denied = Error::from_server(GrpcCode::PermissionDenied, "etcdserver: permission denied");
    store.reject(Some(denied));
    let cache = builder(&store).start().expect("a cache");
    let error = timeout(PATIENCE, cache.ready()).await.expect("in time").expect_err("denied");
    assert!(error.is_permission_denied(), "{error}");
    store.reject(None);
    let ready = async {
        while cache.ready().await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await
        }
    };
    timeout(PATIENCE, ready).await.expect("ready after all");
}

#[tokio::test]
async fn subscribers_receive_every_revision_with_previous_pairs() {
    let (store, cache) = live(|builder| builder).await;
    let mut readers = [cache.subscribe().expect("ready"), cache.subscribe().expect("ready")];
    store.commit(&[("k/1", Some("uno")), ("k/2", None)]).await;
    store.write("k/4", "four").await;
    for changes in &mut readers {
        assert_eq!(changes.snapshot().revision(), 1);
        let change = next(changes).await;
        assert_eq!((change.revision().get(), change.is_resynced(), change.events().len()), (2, false, 2));
        assert_eq!(change.events()[0].prev_kv.as_ref().expect("it was there").value, "one");
        assert!(change.events()[1].is_delete());
        assert_eq!(shown(change.snapshot().iter()), pairs(&[("k/1", "uno")]));
        let change = next(changes).await;
        assert!(change.events()[0].is_create() && change.events()[0].prev_kv.is_none());
        assert_eq!(changes.snapshot().revision(), 3);
    }
    assert_eq!(store.starts().len(), 1, "one watch for all readers");
}

#[tokio::test]
async fn lagging_subscriber_receives_the_sum() {
    let (store, cache) = live(|builder| builder.change_buffer(4)).await;
    let mut changes = cache.subscribe().expect("ready");
    for value in 0..20 {
        store.write("k/1", &value.to_string()).await;
    }
    let last = store.commit(&[("k/1", Some("last")), ("k/2", None)]).await;
    reached(&cache, last).await;
    let sum = next(&mut changes).await;
    assert!(sum.is_resynced());
    assert_eq!(sum.events().len(), 1, "undone and overwritten changes are not reported");
    assert_eq!(sum.events()[0].prev_kv.as_ref().expect("it was there").value, "one");
    let mut seen = sum.revision();
    while seen < last {
        let change = next(&mut changes).await;
        assert!(!change.is_resynced() && change.revision() == seen.next(), "then one by one again");
        seen = change.revision();
    }
    assert_eq!(shown(changes.snapshot().iter()), pairs(&[("k/1", "last")]));
}

#[tokio::test(start_paused = true)]
async fn compaction_re_lists_and_delivers_the_difference() {
    let (store, cache) = live(|builder| builder).await;
    let mut changes = cache.subscribe().expect("ready");
    store.change(&[("k/1", None), ("k/3", Some("three"))]);
    store.change(&[("k/5", Some("five"))]);
    store.change(&[("k/5", None)]);
    store.compact_under_the_watch().await;
    let change = next(&mut changes).await;
    assert!(change.is_resynced());
    assert_eq!(change.revision(), 4);
    let seen: Vec<_> = change.events().iter().map(|event| (&event.kv.key[..], event.is_delete())).collect();
    assert_eq!(seen, [(&b"k/1"[..], true), (&b"k/3"[..], false)]);
    assert!(cache.snapshot_at(1).expect_err("the history between is unknown").is_compacted());
    timeout(PATIENCE, store.is_watched()).await.expect("watched again");
    store.write("k/6", "six").await;
    assert_eq!(next(&mut changes).await.events()[0].kv.key, "k/6");
    assert_eq!((store.starts(), cache.counters().listed), (vec![2, 5], 2));
}

#[tokio::test(start_paused = true)]
async fn ended_watch_resumes_at_its_revision() {
    let (store, cache) = live(|builder| builder).await;
    let last = store.write("k/1", "again").await;
    reached(&cache, last).await;
    store.fail(Error::new(ErrorKind::Timeout, "the stream broke")).await;
    timeout(PATIENCE, store.is_watched()).await.expect("watched again");
    let last = store.write("k/1", "and again").await;
    assert_eq!(shown(reached(&cache, last).await.iter())[0].1, "and again");
    assert_eq!((store.starts(), cache.counters().listed), (vec![2, 3], 1), "nothing is listed again");
}

#[tokio::test(start_paused = true)]
async fn read_waits_for_earlier_writes() {
    let (store, cache) = live(|builder| builder).await;
    let (revision, events) = store.change(&[("k/1", Some("new"))]);
    let reading = cache.read(Get::new("k/1"));
    let reporting = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let header = ResponseHeader { revision: Revision::new(revision), ..ResponseHeader::default() };
        store.send(WatchResponse::events(header, events)).await;
    };
    let (read, ()) = tokio::join!(reading, reporting);
    assert_eq!(read.expect("read").kvs[0].value, "new");
    store.change(&[("a", Some("of no interest"))]);
    let (read, ()) = tokio::join!(cache.fresh_snapshot(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.progress().await;
    });
    assert_eq!(read.expect("up to date").revision(), 3, "progress is enough");
    assert_eq!(cache.counters().read_through, 0);
}

#[tokio::test(start_paused = true)]
async fn read_goes_to_the_server_without_progress() {
    let (store, cache) = live(|builder| builder.read_through_after(Duration::from_secs(1))).await;
    store.change(&[("k/1", Some("new"))]);
    let began = tokio::time::Instant::now();
    let read = cache.read(Get::new("k/").prefix()).await.expect("read");
    assert_eq!(shown(&read.kvs), pairs(&[("k/1", "new"), ("k/2", "two")]));
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!(cache.counters().read_through, 1);
    let error = cache.fresh_snapshot().await.expect_err("nothing came");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let stale = cache.read(Get::new("k/1").serializable()).await.expect("read");
    assert_eq!((&stale.kvs[0].value[..], stale.header.revision.get()), (&b"one"[..], 1));
}

/// A watch whose progress revision covers responses that are still buffered in the handle. A cache that advances to it before reading
/// them loses their events.
#[derive(Debug)]
struct Unread(Revision);

impl WatchControl for Unread {
    fn progress(&self) -> BoxFuture<'static, Result<Revision, Error>> {
        Box::pin(std::future::ready(Ok(self.0)))
    }

    fn status(&self) -> tokio::sync::watch::Receiver<WatchStatus> {
        tokio::sync::watch::channel(WatchStatus::Creating).1
    }

    fn counters(&self) -> WatchCounters {
        WatchCounters::default()
    }
}

/// Creates watches with [`UNREAD`] buffered revisions, every fourth of which changes the range.
#[derive(Debug)]
struct Delivered(Arc<Store>, AsyncMutex<Option<WatchSender>>);

const UNREAD: i64 = 400;

#[async_trait]
impl WatchService for Delivered {
    async fn watch(&self, op: Watch, _: CallOptions) -> Result<WatchStream, Error> {
        assert_eq!(op.start_revision, 2);
        let (sender, received) = WatchStream::channel(1000);
        for number in 0..UNREAD {
            let key = if number % 4 == 0 { "k/1" } else { "a" };
            let (revision, events) = self.0.change(&[(key, Some("new"))]);
            let header = ResponseHeader { revision: Revision::new(revision), ..ResponseHeader::default() };
            assert!(sender.send(WatchResponse::events(header, events)).await);
        }
        *self.1.lock().await = Some(sender);
        Ok(WatchStream::new(received.boxed(), Arc::new(Unread(Revision::new(1 + UNREAD)))))
    }
}

/// Runs many rounds, because `select!` chooses randomly between progress and response.
#[tokio::test]
async fn progress_applies_after_buffered_responses() {
    for _ in 0..20 {
        let store = Arc::new(Store::default());
        store.change(&[("k/1", Some("old"))]);
        let watch = Arc::new(Delivered(Arc::clone(&store), AsyncMutex::default()));
        let cache = Cache::from_services(Arc::clone(&store) as _, watch, KeyRange::prefix("k/"));
        let cache = cache.start().expect("a cache");
        // Request the revision before the watch is created, so that a progress request is due immediately.
        reached(&cache, 1 + UNREAD).await;
        for number in 0..UNREAD {
            let snapshot = cache.snapshot_at(2 + number).expect("kept");
            let found = snapshot.get("k/1").expect("inside").expect("there");
            assert_eq!(found.mod_revision, 2 + number / 4 * 4, "each revision was applied");
        }
    }
}

#[tokio::test]
async fn get_options_match_a_member() {
    let (store, cache) = live(|builder| builder).await;
    let last = store.commit(&[("k/0", Some("zero")), ("k/1", Some("uno"))]).await;
    reached(&cache, last).await;
    let get = || Get::new("k/").prefix().serializable();
    let limited = cache.read(get().limit(2)).await.expect("read");
    assert_eq!(
        (shown(&limited.kvs), limited.more, limited.count),
        (pairs(&[("k/0", "zero"), ("k/1", "uno")]), true, 3)
    );
    let sorted = cache.read(get().sort(SortTarget::Value, SortOrder::Descend).limit(1)).await.expect("read");
    assert_eq!((shown(&sorted.kvs), sorted.more), (pairs(&[("k/0", "zero")]), true));
    let filtered = cache.read(get().max_mod_revision(1)).await.expect("read");
    assert_eq!((shown(&filtered.kvs), filtered.more, filtered.count), (pairs(&[("k/2", "two")]), false, 3));
    let counted = cache.read(get().count_only()).await.expect("read");
    assert_eq!((counted.kvs.len(), counted.count), (0, 3));
    let keys = cache.read(get().keys_only().limit(1)).await.expect("read");
    assert_eq!(shown(&keys.kvs), pairs(&[("k/0", "")]));
}

#[tokio::test]
async fn last_drop_ends_watch_and_changes() {
    let (store, cache) = live(|builder| builder).await;
    let mut changes = cache.subscribe().expect("ready");
    let clone = cache.clone();
    drop(cache);
    store.write("k/1", "still").await;
    assert_eq!(next(&mut changes).await.revision(), 2);
    drop(clone);
    timeout(PATIENCE, store.is_left()).await.expect("the watch is dropped");
    assert!(timeout(PATIENCE, changes.next()).await.expect("in time").is_none());
}

#[tokio::test]
async fn permanent_error_ends_the_cache() {
    let (store, cache) = live(|builder| builder).await;
    let mut changes = cache.subscribe().expect("ready");
    let waiting = cache.wait_for_revision(100);
    let ending = async { tokio::join!(waiting, store.fail(Error::new(ErrorKind::Closed, "closed"))) };
    let (waited, ()) = timeout(PATIENCE, ending).await.expect("in time");
    assert_eq!(waited.expect_err("ended").kind(), ErrorKind::Closed);
    assert!(changes.next().await.expect("an error").expect_err("ended").is_closed());
    assert!(changes.next().await.is_none());
    assert!(cache.snapshot().expect_err("ended").is_closed() && cache.ready().await.is_err());
    assert!(matches!(cache.status(), CacheStatus::Ended { .. }));
}

#[test]
fn start_requires_a_runtime_and_a_valid_range() {
    let store = Arc::new(Store::default());
    assert_eq!(builder(&store).start().expect_err("no runtime").kind(), ErrorKind::NoRuntime);
    let none = Cache::from_services(Arc::clone(&store) as _, store as _, KeyRange::one(""));
    assert_eq!(none.start().expect_err("no key").code(), Some(Code::EmptyKey));
}
