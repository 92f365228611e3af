//! What a watch shows of what happens.

use std::time::Duration;

use etcd_client_core::{Delete, Put, watch::WatchStatus};

use super::rig::{events, pairs, response};
use crate::servers::{client, lent};

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[tokio::test]
async fn watches_of_one_client_receive_only_their_ranges() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut one = client.watch("foo").await.expect("watch");
    let mut other = client.watch("bar").await.expect("watch");
    let mut prefix = client.watch("").all_keys().await.expect("watch");
    let mut range = client.watch("a").range_end("c").await.expect("watch");
    for (key, value) in [("foo", "1"), ("bar", "2"), ("c", "3"), ("b", "4")] {
        client.put(key, value).await.expect("put");
    }
    assert_eq!(pairs(&mut one, 1).await, [pair("foo", "1")]);
    assert_eq!(pairs(&mut other, 1).await, [pair("bar", "2")]);
    let all = [pair("foo", "1"), pair("bar", "2"), pair("c", "3"), pair("b", "4")];
    assert_eq!(pairs(&mut prefix, 4).await, all);
    assert_eq!(pairs(&mut range, 2).await, [pair("bar", "2"), pair("b", "4")]);
    assert!(matches!(one.status(), WatchStatus::Connected { endpoint: Some(_), .. }), "{:?}", one.status());
}

#[tokio::test]
async fn event_kinds_are_distinguished() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut watch = client.watch("/toKill").prefix().prev_kv().await.expect("watch");
    client.put("/toKill", "a").await.expect("put");
    client.put("/toKill", "b").await.expect("put");
    client.delete("/toKill").await.expect("delete");
    let lease = client.lease().grant(Duration::from_secs(1)).await.expect("grant").id;
    client.put("/toKillExpiring", "").lease(lease).await.expect("put");
    let seen = events(&mut watch, 5).await;
    assert!(seen[0].is_create() && seen[0].prev_kv.is_none());
    assert!(seen[1].is_modify() && seen[1].prev_kv.as_ref().is_some_and(|kv| kv.value == "a"));
    assert!(seen[2].is_delete() && seen[2].prev_kv.as_ref().is_some_and(|kv| kv.value == "b"));
    assert!(seen[3].is_create() && seen[3].kv.value.is_empty());
    assert!(seen[4].is_delete());
}

#[tokio::test]
async fn the_events_of_a_transaction_come_together() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let first = client.put("before", "").await.expect("put").header.revision;
    let mut live = client.watch("t/").prefix().await.expect("watch");
    let puts: Vec<Put> = (0..3).map(|n| Put::new(format!("t/{n}"), "")).collect();
    client.txn().then(puts).await.expect("txn");
    client.txn().then(Delete::new("t/").prefix()).await.expect("txn");
    let mut history = client.watch("t/").prefix().start_revision(first).await.expect("watch");
    for watch in [&mut live, &mut history] {
        let both = [events(watch, 6).await].concat();
        assert!(both[..3].iter().all(|event| event.revision() == first.next() && event.is_create()));
        assert!(both[3..].iter().all(|event| event.revision() == first.next().next() && event.is_delete()));
    }
}

#[tokio::test]
async fn creation_is_reported_once_and_filters_hold() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut puts = client.watch("k").no_delete().created_notify().await.expect("watch");
    let mut deletes = client.watch("k").no_put().await.expect("watch");
    let created = response(&mut puts).await;
    assert_eq!(created.kind, etcd_client_core::watch::WatchResponseKind::Created);
    client.put("k", "1").await.expect("put");
    client.delete("k").await.expect("delete");
    client.put("k", "2").await.expect("put");
    client.delete("k").await.expect("delete");
    assert_eq!(pairs(&mut puts, 2).await, [pair("k", "1"), pair("k", "2")]);
    assert_eq!(pairs(&mut deletes, 2).await, [pair("k", "-"), pair("k", "-")]);
}

#[tokio::test]
async fn future_watch_waits_without_blocking_others() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let first = client.put("k", "0").await.expect("put").header.revision;
    let start = first.get() + 5;
    let mut future = client.watch("k").start_revision(start).await.expect("watch");
    let past = client.watch("k").start_revision(first).await.expect("watch");
    for value in 1..=3 {
        client.put("k", value.to_string()).await.expect("put");
    }
    // A member says nothing on a stream that holds a watch of the future. Old ones say nothing reliable.
    match past.progress().await {
        Ok(revision) => assert!(revision.get() >= start - 2, "{revision}"),
        Err(error) => assert!(error.is_unsupported(), "{}", error.report()),
    }
    for value in 4..=6 {
        client.put("k", value.to_string()).await.expect("put");
    }
    let seen = events(&mut future, 2).await;
    assert_eq!(seen.iter().map(|event| event.revision().get()).collect::<Vec<_>>(), [start, start + 1]);
}
