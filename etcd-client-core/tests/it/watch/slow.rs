//! Readers that are slower than the events.

use etcd_client_core::{
    Client, ErrorKind, Put,
    watch::{Backpressure, WatchStatus},
};

use super::rig::{end, events, item, response};
use crate::servers::{PATIENCE, client, eventually, lent};

/// Writes one key so many times.
async fn write(client: &Client, key: &str, count: usize) {
    for from in (0..count).step_by(50) {
        let puts = (from..from + 50).map(|n| client.put(key, format!("{n:0100}")).into_future());
        for put in futures_util::future::join_all(puts).await {
            put.expect("put");
        }
    }
}

/// Writes so many events in revisions of ten. Members cut large batches of small events into fragments too slowly for a test.
async fn write_keys(client: &Client, count: usize) {
    for from in (0..count).step_by(500) {
        let txns = (from..from + 500).step_by(10).map(|from| {
            let puts: Vec<Put> = (from..from + 10).map(|n| Put::new(format!("k/{n:06}"), "v")).collect();
            client.txn().then(puts).into_future()
        });
        for txn in futures_util::future::join_all(txns).await {
            txn.expect("txn");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sleeping_reader_gets_all_events() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut asleep = client.watch("k/").prefix().buffer_bytes(64 << 10).await.expect("watch");
    let mut awake = client.watch("k/").prefix().await.expect("watch");
    let count = 100_000;
    let reading = async { events(&mut awake, count).await.len() };
    let (read, ()) = tokio::join!(reading, write_keys(&client, count));
    assert_eq!(read, count, "nobody else waits for it");
    assert!(matches!(asleep.status(), WatchStatus::Paused { .. }), "{:?}", asleep.status());
    let (mut keys, mut last) = (std::collections::HashSet::new(), 0);
    while keys.len() < count {
        for event in response(&mut asleep).await.events {
            assert!(event.revision() >= last, "in order");
            last = event.revision().get();
            assert!(keys.insert(event.kv.key.clone()), "{event:?} came twice");
        }
    }
    let counters = asleep.counters();
    assert!(counters.paused > 1, "{counters:?}");
}

#[tokio::test]
async fn a_coalescing_reader_gets_the_latest_of_each_key() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let latest = || client.watch("").all_keys().backpressure(Backpressure::Coalesce).prev_kv();
    let mut watch = latest().buffer_bytes(32 << 10).await.expect("watch");
    client.put("other", "first").await.expect("put");
    write(&client, "k", 2_000).await;
    eventually("events were coalesced", async || watch.counters().coalesced > 1_000).await;
    client.put("last", "").await.expect("put");
    let (mut seen, mut last) = (Vec::new(), 0);
    while seen.last().is_none_or(|event: &etcd_client_core::Event| event.kv.key != "last") {
        for event in response(&mut watch).await.events {
            assert!(event.revision() >= last, "in order");
            // The pair before an event is what the reader saw last.
            let before =
                seen.iter().rev().find(|seen: &&etcd_client_core::Event| seen.kv.key == event.kv.key);
            assert_eq!(event.prev_kv.as_ref().map(|kv| kv.mod_revision), before.map(|seen| seen.revision()));
            last = event.revision().get();
            seen.push(event);
        }
    }
    assert!(seen.len() < 1_000 && seen[0].kv.key == "other", "{}", seen.len());
    assert!(seen.iter().any(|event| event.kv.key == "k" && event.kv.version == 2_000));
}

#[tokio::test]
async fn failing_policy_returns_lagged() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let failing = client.watch("k").backpressure(Backpressure::Fail).buffer_bytes(16 << 10);
    let mut watch = failing.await.expect("watch");
    write(&client, "k", 500).await;
    eventually("it has failed", async || matches!(watch.status(), WatchStatus::Ended { .. })).await;
    while let Some(next) = item(&mut watch).await {
        if let Err(error) = next {
            assert_eq!(error.kind(), ErrorKind::Lagged, "{}", error.report());
            assert!(item(&mut watch).await.is_none());
            return;
        }
    }
    panic!("no error");
}

#[tokio::test]
async fn a_revision_larger_than_the_buffer_is_delivered_whole() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut watch = client.watch("k/").prefix().prev_kv().buffer_bytes(1_000).await.expect("watch");
    for n in 0..10 {
        client.put(format!("k/{n}"), vec![7; 900_000]).await.expect("put");
    }
    client.delete("k/").prefix().await.expect("delete");
    let mut puts = 0;
    let deleted = loop {
        let next = response(&mut watch).await;
        puts += next.events.iter().filter(|event| !event.is_delete()).count();
        if next.events.iter().any(|event| event.is_delete()) {
            break next.events.into_iter().filter(|event| event.is_delete()).collect::<Vec<_>>();
        }
    };
    assert_eq!(puts, 10);
    // Sent in fragments of 2 MiB at most.
    assert_eq!(deleted.len(), 10);
    assert!(deleted.iter().all(|event| event.prev_kv.as_ref().is_some_and(|kv| kv.value.len() == 900_000)));
}

#[tokio::test]
async fn dropping_a_parked_watch_leaves_nothing_behind() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let watch = client.watch("k").buffer_bytes(1_000).await.expect("watch");
    write(&client, "k", 100).await;
    eventually("it is paused", async || matches!(watch.status(), WatchStatus::Paused { .. })).await;
    drop(watch);
    let mut other = client.watch("k").await.expect("watch");
    client.put("k", "").await.expect("put");
    events(&mut other, 1).await;
    client.close().await;
    assert_eq!(end(&mut other).await.kind(), ErrorKind::Closed);
    let waited = tokio::time::timeout(PATIENCE, client.close()).await;
    assert!(waited.is_ok(), "nothing is left to wait for");
}
