//! The requests of a handle, on virtual time and a store in memory.

mod store;

use std::{sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use futures_core::future::BoxFuture;
use tokio::{
    sync::Notify,
    time::{advance, sleep, timeout},
};

use self::store::{Fault, Store, TTL};
use crate::{
    kv::{Delete, Get, GetResponse, Put},
    leasing::Leasing,
    txn::{Compare, Op, Txn},
};

/// A write through a handle.
type Write = fn(&Leasing) -> BoxFuture<'_, Result<(), Error>>;

const SECOND: Duration = Duration::from_secs(1);

/// No wait of a test is longer, on virtual time.
const LONG: Duration = Duration::from_secs(3600);

async fn start() -> (Arc<Store>, Leasing) {
    let store = Arc::new(Store::default());
    let leasing = Leasing::builder(Arc::clone(&store), "own/").ttl(TTL).start().expect("valid");
    timeout(LONG, leasing.ready()).await.expect("in time").expect("a lease");
    (store, leasing)
}

/// Lets the tasks do what they can without time passing.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

async fn eventually(condition: impl Fn() -> bool + Send + Sync) {
    let holds = async {
        while !condition() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, holds).await.expect("the condition holds in the end");
}

async fn get(leasing: &Leasing, key: &str) -> String {
    let response = timeout(LONG, leasing.get(key)).await.expect("in time").expect("read");
    response.first().map_or_else(String::new, |kv| kv.value_str().expect("text").to_owned())
}

/// Reads a key that must be served from memory.
async fn cached(leasing: &Leasing, store: &Store, key: &str) -> String {
    let before = store.requests();
    let value = get(leasing, key).await;
    assert_eq!(store.requests(), before, "no request was needed");
    value
}

/// A transaction that acquires a key.
fn acquires(txn: &Txn) -> bool {
    txn.success().iter().any(|op| matches!(op, Op::Put(put) if put.lease.is_some()))
}

/// A transaction that puts `k`.
fn puts(txn: &Txn) -> bool {
    txn.success().iter().any(|op| matches!(op, Op::Put(put) if put.key == "k"))
}

#[tokio::test(start_paused = true)]
async fn second_get_is_served_from_memory() {
    let (store, leasing) = start().await;
    store.put_directly("k", "v", None);
    assert_eq!(get(&leasing, "k").await, "v");
    assert_eq!((store.value("own/k"), store.lease("own/k")), (Some(String::new()), Some(1)));
    assert_eq!(cached(&leasing, &store, "k").await, "v");
    leasing.put("k", "w").await.expect("put");
    assert_eq!((store.value("k").as_deref(), cached(&leasing, &store, "k").await.as_str()), (Some("w"), "w"));
    let deleted = leasing.delete("k").await.expect("deleted");
    assert_eq!((deleted.deleted, cached(&leasing, &store, "k").await.as_str()), (1, ""));
    let counters = leasing.counters();
    assert_eq!(
        (counters.owned_keys, counters.cached_reads, counters.acquired, counters.released),
        (1, 3, 1, 0)
    );
}

/// The handle is not notified of the end of the lease: only the clock shows it.
#[tokio::test(start_paused = true)]
async fn nothing_is_read_from_memory_after_the_deadline() {
    let (store, leasing) = start().await;
    store.put_directly("k", "old", None);
    get(&leasing, "k").await;
    let state = |leasing: &Leasing| {
        leasing.shared.with_state(|state, now, deadline| {
            let read = state.read(&Get::new("k"), u64::MAX, now.into(), deadline.into());
            matches!(read, super::state::Read::Cached(_))
        })
    };
    advance(TTL - Duration::from_nanos(1)).await;
    assert!(state(&leasing));
    // The background task has not run yet.
    advance(Duration::from_nanos(1)).await;
    store.put_directly("k", "new", None);
    assert!(!state(&leasing));
    assert_eq!(get(&leasing, "k").await, "new");
}

#[tokio::test(start_paused = true)]
async fn lost_lease_drops_the_cache_and_another_follows() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    store.lose_lease();
    store.put_directly("k", "theirs", None);
    assert_eq!(get(&leasing, "k").await, "theirs");
    store.delete_directly("own/k");
    eventually(|| leasing.error().is_none()).await;
    advance(3 * SECOND).await;
    assert_eq!(get(&leasing, "k").await, "theirs");
    assert_eq!(store.lease("own/k"), Some(2));
    assert_eq!(cached(&leasing, &store, "k").await, "theirs");
}

#[tokio::test(start_paused = true)]
async fn get_waits_for_writes_in_flight() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    let response = Arc::new(Notify::new());
    store.fault(puts, Fault::Hold(Arc::clone(&response)));
    let (writer, reader) = (leasing.clone(), leasing.clone());
    let put = tokio::spawn(async move { writer.put("k", "v").await });
    settle().await;
    assert_eq!(store.value("k").as_deref(), Some("v"), "others can see it");
    let read = tokio::spawn(async move { get(&reader, "k").await });
    settle().await;
    assert!(!read.is_finished());
    response.notify_one();
    assert_eq!(read.await.expect("no panic"), "v");
    put.await.expect("no panic").expect("put");
}

#[tokio::test(start_paused = true)]
async fn get_does_not_wait_longer_than_its_timeout() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    store.fault(puts, Fault::Hold(Arc::new(Notify::new())));
    let writer = leasing.clone();
    let put = tokio::spawn(async move { writer.put("k", "v").await });
    settle().await;
    let error = leasing.get("k").timeout(SECOND).await.expect_err("the write hangs");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, Some("get")));
    put.abort();
}

/// The write arrives while the key is owned again. It must not change what the cache does not know.
#[tokio::test(start_paused = true)]
async fn late_copy_of_a_write_never_changes_a_cached_key() {
    let writes: [Write; 3] = [
        |leasing| Box::pin(async { leasing.put("k", "late").await.map(drop) }),
        |leasing| Box::pin(async { leasing.txn().then(Put::new("k", "late")).await.map(drop) }),
        |leasing| Box::pin(async { leasing.delete("j").range_end("l").await.map(drop) }),
    ];
    for (number, write) in writes.into_iter().enumerate() {
        let (store, leasing) = start().await;
        store.put_directly("k", "v", None);
        get(&leasing, "k").await;
        store.fault(|txn| !acquires(txn), Fault::Delay);
        let error = write(&leasing).await.expect_err("its outcome is unknown");
        assert!(error.outcome_unknown());
        eventually(|| store.value("own/k").is_none()).await;
        advance(3 * SECOND).await;
        assert_eq!(get(&leasing, "k").await, "v");
        assert!(!store.apply_late(), "write {number}");
        assert_eq!(cached(&leasing, &store, "k").await, "v");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_outcome_evicts_the_key() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    store.fault(puts, Fault::Lose);
    assert!(leasing.put("k", "v").await.expect_err("lost").outcome_unknown());
    assert_eq!(get(&leasing, "k").await, "v");
    eventually(|| store.value("own/k").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn dropped_write_evicts_the_key() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    store.fault(puts, Fault::Hold(Arc::new(Notify::new())));
    timeout(SECOND, leasing.put("k", "v")).await.expect_err("it hangs");
    assert_eq!(get(&leasing, "k").await, "v");
    eventually(|| store.value("own/k").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn rejected_write_keeps_the_key() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    store.fault(puts, Fault::Refuse(ErrorKind::Unavailable));
    let error = leasing.put("k", "v").await.expect_err("rejected");
    assert!(!error.outcome_unknown());
    assert_eq!(cached(&leasing, &store, "k").await, "");
}

#[tokio::test(start_paused = true)]
async fn dropped_get_leaves_no_unknown_ownership() {
    let (store, leasing) = start().await;
    let response = Arc::new(Notify::new());
    store.fault(acquires, Fault::Hold(Arc::clone(&response)));
    timeout(SECOND, leasing.get("k")).await.expect_err("it hangs");
    response.notify_one();
    settle().await;
    assert_eq!(cached(&leasing, &store, "k").await, "");
    store.revoke_directly("own/k");
    eventually(|| store.value("own/k").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn failed_acquisition_does_not_fail_the_get() {
    for fault in [Fault::Lose, Fault::Delay, Fault::Refuse(ErrorKind::Unavailable)] {
        let (store, leasing) = start().await;
        store.put_directly("k", "v", None);
        store.fault(acquires, fault);
        assert_eq!(get(&leasing, "k").await, "v");
    }
}

#[tokio::test(start_paused = true)]
async fn acquisition_of_unknown_outcome_is_released() {
    for fault in [Fault::Lose, Fault::Delay] {
        let (store, leasing) = start().await;
        let late = matches!(fault, Fault::Delay);
        store.fault(acquires, fault);
        get(&leasing, "k").await;
        settle().await;
        if late {
            assert!(store.apply_late());
        }
        // Another client could otherwise not write the key before the end of the session.
        eventually(|| store.value("own/k").is_none()).await;
        advance(3 * SECOND).await;
        get(&leasing, "k").await;
        assert_eq!(cached(&leasing, &store, "k").await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn revoked_key_is_evicted_before_it_is_released() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    settle().await;
    store.revoke_directly("own/k");
    eventually(|| store.value("own/k").is_none()).await;
    store.put_directly("k", "theirs", None);
    assert_eq!(get(&leasing, "k").await, "theirs");
    assert_eq!(store.value("own/k"), None, "the key rests, so that others can write it");
    advance(3 * SECOND).await;
    get(&leasing, "k").await;
    assert_eq!(cached(&leasing, &store, "k").await, "theirs");
}

#[tokio::test(start_paused = true)]
async fn compacted_monitor_reads_the_ownership_key() {
    let (store, leasing) = start().await;
    for key in ["revoked", "deleted", "kept"] {
        get(&leasing, key).await;
    }
    settle().await;
    store.compact_watches();
    store.revoke_directly("own/revoked");
    store.delete_directly("own/deleted");
    eventually(|| leasing.counters().owned_keys == 1).await;
    assert_eq!((store.value("own/revoked"), store.value("own/kept").as_deref()), (None, Some("")));
    settle().await;
    store.revoke_directly("own/kept");
    eventually(|| store.value("own/kept").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn write_waits_for_another_owner() {
    let writes: [Write; 3] = [
        |leasing| Box::pin(async { leasing.put("k", "v").await.map(drop) }),
        |leasing| Box::pin(async { leasing.txn().then(Put::new("k", "v")).await.map(drop) }),
        |leasing| Box::pin(async { leasing.delete("k").prefix().await.map(drop) }),
    ];
    for write in writes {
        let (store, leasing) = start().await;
        store.put_directly("k", "old", None);
        store.put_directly("own/k", "", Some(77));
        let writer = leasing.clone();
        let written = tokio::spawn(async move { write(&writer).await });
        eventually(|| store.value("own/k").as_deref() == Some("REVOKE")).await;
        settle().await;
        assert_eq!((store.value("k").as_deref(), store.lease("own/k")), (Some("old"), Some(77)));
        store.compact_watches();
        sleep(SECOND).await;
        assert!(!written.is_finished(), "the owner has not released the key");
        store.delete_directly("own/k");
        timeout(LONG, written).await.expect("in time").expect("no panic").expect("written");
        assert_ne!(store.value("k").as_deref(), Some("old"));
    }
}

#[tokio::test(start_paused = true)]
async fn owner_that_does_not_answer_is_a_timeout_without_effect() {
    let (store, leasing) = start().await;
    store.put_directly("own/k", "", Some(77));
    let error = leasing.put("k", "v").timeout(SECOND).await.expect_err("the owner is gone");
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Timeout, false));
    assert_eq!(error.operation(), Some("put"));
    store.delete_directly("own/k");
    sleep(LONG).await;
    assert_eq!(store.value("k"), None);
}

#[tokio::test(start_paused = true)]
async fn write_of_a_key_that_is_being_acquired_is_applied() {
    let (store, leasing) = start().await;
    let response = Arc::new(Notify::new());
    store.fault(acquires, Fault::Hold(Arc::clone(&response)));
    let reader = leasing.clone();
    let read = tokio::spawn(async move { get(&reader, "k").await });
    settle().await;
    timeout(LONG, leasing.put("k", "v")).await.expect("in time").expect("put");
    response.notify_one();
    read.await.expect("no panic");
    assert_eq!(get(&leasing, "k").await, "v", "the attempt read it before the write");
}

#[tokio::test(start_paused = true)]
async fn ended_ownership_is_found_by_a_write() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    settle().await;
    // No watch reports it.
    store.compact_watches();
    store.delete_directly("own/k");
    timeout(LONG, leasing.put("k", "v")).await.expect("in time").expect("put");
    assert_eq!((store.value("k").as_deref(), leasing.counters().owned_keys), (Some("v"), 0));
}

#[tokio::test(start_paused = true)]
async fn transactions_update_what_they_applied() {
    let (store, leasing) = start().await;
    for key in ["a", "b", "c", "d/1"] {
        store.put_directly(key, "old", None);
        get(&leasing, key).await;
    }
    let nested =
        Txn::new().when(Compare::missing("none")).then(Put::new("b", "new")).or_else(Put::new("c", "new"));
    let txn = leasing.txn().then((Put::new("a", "new"), nested, Delete::new("d/").prefix()));
    let response = timeout(LONG, txn).await.expect("in time").expect("applied");
    assert!(response.succeeded() && response.txn(1).expect("nested").succeeded());
    assert_eq!(response.responses().len(), 3, "the reads of the cache are not shown");
    for (key, value) in [("a", "new"), ("b", "new"), ("c", "old"), ("d/1", "")] {
        assert_eq!(cached(&leasing, &store, key).await, value, "{key}");
    }
    let before = store.requests();
    let read = leasing.txn().when(Compare::value("a").equal("new")).then(Get::new("c")).await.expect("read");
    assert_eq!(read.get(0).and_then(GetResponse::first).map(|kv| &kv.value[..]), Some(&b"old"[..]));
    assert_eq!(store.requests(), before, "from memory");
}

#[tokio::test(start_paused = true)]
async fn writes_below_the_prefix_are_rejected() {
    let (store, leasing) = start().await;
    let before = store.requests();
    let errors = [
        leasing.put("own/k", "").await.expect_err("an ownership key"),
        leasing.delete("").all_keys().await.expect_err("all keys"),
        leasing.txn().or_else(Delete::new("o").prefix()).await.expect_err("a range"),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("key")));
    }
    assert_eq!(store.requests(), before);
}

#[tokio::test(start_paused = true)]
async fn contradictory_response_is_an_error() {
    let (store, leasing) = start().await;
    store.fault(puts, Fault::Deny);
    let error = leasing.put("k", "v").await.expect_err("no condition failed");
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Protocol, false));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_revokes_the_lease() {
    let (store, leasing) = start().await;
    let mut lease = store.take_lease();
    let clone = leasing.clone();
    drop(leasing);
    settle().await;
    assert!(timeout(SECOND, lease.stopped()).await.is_err(), "a clone is left");
    drop(clone);
    timeout(LONG, lease.stopped()).await.expect("revoked");
}

#[tokio::test(start_paused = true)]
async fn closed_handle_passes_requests_through() {
    let (store, leasing) = start().await;
    get(&leasing, "k").await;
    let clone = leasing.clone();
    timeout(LONG, leasing.close()).await.expect("in time");
    assert_eq!(clone.ready().await.expect_err("closed").kind(), ErrorKind::Closed);
    store.put_directly("k", "theirs", None);
    assert_eq!(get(&clone, "k").await, "theirs");
}

#[tokio::test(start_paused = true)]
async fn closed_service_ends_the_session() {
    let store = Arc::new(Store::default());
    store.close();
    let leasing = Leasing::builder(Arc::clone(&store), "own/").start().expect("valid");
    let error = timeout(LONG, leasing.ready()).await.expect("in time").expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Closed);
    timeout(LONG, leasing.close()).await.expect("in time");
}

#[tokio::test(start_paused = true)]
async fn builder_rejects_invalid_settings() {
    let builder = |prefix: &str| Leasing::builder(Arc::new(Store::default()), prefix);
    let field = |error: Error| (error.kind(), error.field());
    let empty = builder("").start().expect_err("it would own the keys by themselves");
    assert_eq!(field(empty), (ErrorKind::InvalidConfig, Some("prefix")));
    let zero = builder("own/").ttl(Duration::ZERO).start().expect_err("no time");
    assert_eq!(field(zero), (ErrorKind::InvalidConfig, Some("ttl")));
}
