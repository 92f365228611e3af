//! Typed values on a real etcd, and live values through restarts, compactions, restores, bad JSON and deletions.

use etcd_client_core::{
    Client, ErrorKind,
    json::{JsonEvent, JsonEvents, Live, LiveChanges, LiveMap, LiveState},
};
use etcd_testkit::Cluster;
use tokio::time::timeout;

use crate::{
    replaced::refused,
    servers::{PATIENCE, client, eventually, lent, shared},
};

async fn next<T: Send + Sync>(changes: &mut LiveChanges<T>) -> LiveState<T> {
    timeout(PATIENCE, changes.next()).await.expect("in time").expect("it goes on")
}

/// Waits until the live value is `value`, with an error or without.
async fn becomes(live: &Live<u32>, value: u32, error: bool) {
    let reached = async || {
        let state = live.state();
        state.value.as_deref() == Some(&value) && state.error.is_some() == error
    };
    eventually(format!("the value is {value}, error: {error}"), reached).await;
}

async fn start(client: &Client, key: &str) -> Live<u32> {
    client.json().put(key, &1).expect("a number").await.expect("put");
    let live = Live::key(client, key).expect("a runtime");
    assert_eq!(*live.ready().await.expect("valid"), 1);
    live
}

#[tokio::test]
async fn values_are_read_written_updated_and_watched() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let numbers = client.json::<u32>();
    assert!(numbers.get("json/typed/a").await.expect("get").is_none());
    let put = numbers.put("json/typed/a", &7).expect("a number").await.expect("put");
    let found = numbers.get("json/typed/a").await.expect("get").expect("exists");
    assert_eq!((found.value, found.kv.mod_revision), (7, put.header.revision));
    numbers.update("json/typed/a", |number| number.unwrap_or(0) + 1).await.expect("updated");
    client.put("json/typed/b", "bad").await.expect("put");
    client.delete("json/typed/a").await.expect("deleted");
    let listed = numbers.list("json/typed/").await.expect("get");
    assert_eq!(listed.iter().map(Result::is_ok).collect::<Vec<_>>(), [false]);

    let watch =
        client.watch("json/typed/").prefix().start_revision(put.header.revision).await.expect("a watch");
    let mut events = JsonEvents::<u32>::from(watch.events());
    let mut next =
        async || timeout(PATIENCE, events.next()).await.expect("in time").expect("open").expect("an event");
    assert!(matches!(next().await, JsonEvent::Put(json) if json.value == 7));
    assert!(matches!(next().await, JsonEvent::Put(json) if json.value == 8));
    assert!(matches!(next().await, JsonEvent::Invalid { .. }));
    assert!(matches!(next().await, JsonEvent::Deleted(_)));
}

#[tokio::test]
async fn update_of_bad_json_changes_nothing() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    client.put("json/update", "bad").await.expect("put");
    let error = client.json::<u32>().update("json/update", |_| 1).await.expect_err("not a number");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidData, Some("update")));
    assert_eq!(client.get("json/update").await.expect("get").kvs[0].value, "bad");
}

#[tokio::test]
async fn missing_key_is_reported_and_followed() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let live = Live::<u32>::key(&client, "live/missing").expect("a runtime");
    assert_eq!(live.ready().await.expect_err("missing").kind(), ErrorKind::InvalidData);
    client.put("live/missing", "4").await.expect("put");
    becomes(&live, 4, false).await;
}

#[tokio::test]
async fn bad_json_and_deletion_keep_the_last_valid_value() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let live = start(&client, "live/bad").await;
    let mut changes = live.changes();
    client.put("live/bad", "{").await.expect("put");
    let state = next(&mut changes).await;
    assert_eq!(state.value.as_deref(), Some(&1));
    let error = state.error.expect("a reason");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    client.delete("live/bad").await.expect("deleted");
    let state = next(&mut changes).await;
    assert_eq!(state.value.as_deref(), Some(&1));
    assert!(state.error.expect("a reason").to_string().contains("does not exist"));
    client.put("live/bad", "2").await.expect("put");
    let state = next(&mut changes).await;
    assert_eq!((state.value.as_deref(), state.error.is_none()), (Some(&2), true));
}

#[tokio::test]
async fn prefix_is_followed_key_by_key() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let live = Live::<LiveMap<u32>>::prefix(&client, "live/map/").expect("a runtime");
    assert!(live.ready().await.expect("empty").is_empty());
    for (key, value) in [("live/map/a", "1"), ("live/map/b", "2"), ("live/map/a", "bad")] {
        client.put(key, value).await.expect("put");
    }
    let last = client.delete("live/map/b").await.expect("deleted").header.revision;
    eventually("all changes were seen", async || live.state().revision >= last).await;
    let state = live.state();
    let map = state.value.expect("a map");
    assert_eq!(
        map.iter().map(|(key, value)| (key.as_bytes(), **value)).collect::<Vec<_>>(),
        [(&b"live/map/a"[..], 1)]
    );
    assert!(state.error.is_some());
}

#[tokio::test]
async fn live_value_survives_restarts_and_compactions() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let writer = client(cluster.endpoints());
    let proxied = cluster.proxied().expect("ports");
    let follower = client(proxied.endpoints());
    let live = start(&follower, "live").await;
    cluster.member(0).restart().await.expect("restarted");
    writer.put("live", "2").timeout(PATIENCE).await.expect("put");
    becomes(&live, 2, false).await;

    // The follower misses changes that are compacted before it is connected again.
    proxied.proxy(0).accept(etcd_testkit::Accept::Refuse).await;
    proxied.proxy(0).reset();
    for value in ["3", "bad", "4"] {
        writer.put("live", value).await.expect("put");
    }
    let last = writer.put("other", "v").await.expect("put").header.revision;
    writer.compact(last).await.expect("compacted");
    assert_eq!(live.get().as_deref(), Some(&2), "from memory during an outage");
    proxied.proxy(0).heal().await;
    proxied.proxy(0).accept(etcd_testkit::Accept::Serve).await;
    becomes(&live, 4, false).await;
}

#[tokio::test]
async fn live_value_survives_a_restore() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let live = start(&client, "live").await;
    let snapshot = cluster.save_snapshot().await.expect("a snapshot");
    client.put("live", "2").await.expect("put");
    becomes(&live, 2, false).await;
    for _ in 0..20 {
        client.put("other", "v").await.expect("put");
    }
    cluster.restore_snapshot(&snapshot, None).await.expect("an earlier store");
    refused(&client).await;
    assert_eq!(
        live.get().as_deref(),
        Some(&2),
        "nothing is read from the restored store before it is accepted"
    );
    client.accept_cluster().unwrap_or_else(|error| panic!("{}", error.report()));
    becomes(&live, 1, false).await;
    client.put("live", "3").timeout(PATIENCE).await.expect("put");
    becomes(&live, 3, false).await;
}

#[tokio::test]
async fn live_value_ends_with_its_client() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let live = start(&client, "live").await;
    let mut changes = live.changes();
    client.close().await;
    assert_eq!(next(&mut changes).await.error.expect("a reason").kind(), ErrorKind::Closed);
    assert!(timeout(PATIENCE, changes.next()).await.expect("in time").is_none());
    assert_eq!(live.get().as_deref(), Some(&1));
}
