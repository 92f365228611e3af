//! What a cache holds, against what the member says of each revision.

use etcd_client_core::{Client, Delete, Get, Put, Revision, types::KeyRange};
use tokio::time::timeout;

use super::{live, next, pairs, reached};
use crate::servers::{self, PATIENCE, eventually, metric};

/// Puts, overwrites, deletions of one and of many, in and beside the range, some of them at one revision.
async fn write(client: &Client) -> Revision {
    let mut last = Revision::ZERO;
    for round in 0..40_u32 {
        let key = |offset: u32| format!("c/{:02}", (round * 7 + offset) % 16);
        client.put(format!("beside/{round}"), "v").await.expect("put");
        last = match round % 4 {
            0 => client.put(key(0), round.to_string()).await.expect("put").header.revision,
            1 => {
                let txn = client.txn().then((
                    Put::new(key(1), "txn"),
                    Put::new(key(2), "txn"),
                    Delete::new(key(3)),
                ));
                txn.await.expect("txn").header.revision
            }
            2 => client.delete(key(4)).await.expect("delete").header.revision,
            _ => client.delete(key(5)).range_end("c/99").await.expect("delete").header.revision,
        };
    }
    last
}

#[tokio::test]
async fn each_revision_is_the_members() {
    let Some(lent) = servers::lent().await else { return };
    let client = servers::client(lent.cluster.endpoints());
    client.put("c/00", "before").await.expect("put");
    client.put("c/15", "before").await.expect("put");
    let cache = live(&client, KeyRange::prefix("c/")).await;
    let mut changes = cache.subscribe().expect("ready");
    let first = changes.snapshot().revision();
    let last = write(&client).await;
    reached(&cache, last).await;
    let mut told = changes.snapshot().clone();
    for revision in first.get()..=last.get() {
        let expected = client.get("c/").prefix().revision(revision).await.expect("get").kvs;
        assert_eq!(pairs(&cache.snapshot_at(revision).expect("kept")), expected, "at {revision}");
        let local = cache.read(Get::new("c/").prefix().revision(revision)).await.expect("read");
        assert_eq!(local.kvs, expected, "read at {revision}");
        if told.revision() < revision && pairs(&told) != expected {
            let change = next(&mut changes).await;
            assert_eq!((change.revision().get(), change.is_resynced()), (revision, false));
            told = change.snapshot().clone();
        }
        assert_eq!(pairs(&told), expected, "told at {revision}");
    }
    assert_eq!(cache.counters().listed, 1);
}

#[tokio::test]
async fn a_range_without_keys_is_followed_too() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let cache = live(&client, KeyRange::one("cache-one-key")).await;
    assert!(cache.snapshot().expect("ready").is_empty());
    let put = client.put("cache-one-key", "v").await.expect("put");
    client.put("cache-one-key/other", "v").await.expect("put");
    assert_eq!(reached(&cache, put.header.revision).await.len(), 1);
}

#[tokio::test]
async fn a_namespaced_cache_has_the_namespaces_keys() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    let client = whole.with_namespace("cache-ns/");
    whole.put("cache-ns/a", "v").await.expect("put");
    let cache = live(&client, KeyRange::all()).await;
    let last = whole.put("cache-ns/b", "v").await.expect("put").header.revision;
    whole.put("cache-nt", "foreign").await.expect("put");
    let keys: Vec<_> = pairs(&reached(&cache, last).await).into_iter().map(|kv| kv.key).collect();
    assert_eq!(keys, ["a", "b"]);
}

/// Counted on a member of its own: others watch too.
#[tokio::test]
async fn any_number_of_readers_have_one_watch_which_ends_with_the_cache() {
    let Some(lent) = servers::lent().await else { return };
    let client = servers::client(lent.cluster.endpoints());
    let watchers = async || metric(lent.cluster.member(0), "etcd_debugging_mvcc_watcher_total", &[]).await;
    let before = watchers().await;
    let cache = live(&client, KeyRange::prefix("one/")).await;
    let mut readers: Vec<_> = (0..100).map(|_| cache.clone().subscribe().expect("ready")).collect();
    let revision = client.put("one/k", "v").await.expect("put").header.revision;
    for changes in &mut readers {
        assert_eq!(next(changes).await.revision(), revision);
    }
    assert!(watchers().await - before <= 1.5, "one watch, not one per reader");
    drop(cache);
    eventually("the watch is gone", async || watchers().await <= before + 0.5).await;
    for changes in &mut readers {
        assert!(changes.next().await.is_none());
    }
}

#[tokio::test]
async fn closing_the_client_ends_its_caches() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let cache = live(&client, KeyRange::prefix("closing/")).await;
    let mut changes = cache.subscribe().expect("ready");
    timeout(PATIENCE, client.close()).await.expect("in time");
    let end = timeout(PATIENCE, changes.next()).await.expect("in time").expect("an error");
    assert!(end.expect_err("the client is closed").is_closed());
    assert!(cache.snapshot().expect_err("ended").is_closed());
    assert!(cache.read(Get::new("closing/k")).await.expect_err("ended").is_closed());
}
