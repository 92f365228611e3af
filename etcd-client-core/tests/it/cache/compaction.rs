//! A cache that was cut off while history was written and compacted.

use etcd_client_core::types::KeyRange;
use etcd_testkit::{Accept, Cluster};

use super::{live, next, pairs, reached};
use crate::servers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compacted_changes_arrive_as_a_difference() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxied = cluster.proxied().expect("proxies start");
    let (direct, client) = (servers::client(cluster.endpoints()), servers::client(proxied.endpoints()));
    for (key, value) in [("c/deleted", "v"), ("c/changed", "old"), ("c/kept", "v")] {
        direct.put(key, value).await.expect("put");
    }
    let cache = live(&client, KeyRange::prefix("c/")).await;
    let mut changes = cache.subscribe().expect("ready");

    let proxy = proxied.proxy(0);
    proxy.accept(Accept::Refuse).await;
    proxy.reset();
    direct.delete("c/deleted").await.expect("delete");
    direct.put("c/changed", "new").await.expect("put");
    direct.put("c/undone", "v").await.expect("put");
    direct.delete("c/undone").await.expect("delete");
    let last = direct.put("c/new", "v").await.expect("put").header.revision;
    let elsewhere = direct.put("elsewhere", "v").await.expect("put").header.revision;
    direct.compact(elsewhere).await.expect("compact");
    assert_eq!(cache.get("c/changed").expect("inside").expect("there").value, "old", "it still answers");
    proxy.heal().await;

    let change = next(&mut changes).await;
    assert!(change.is_resynced() && change.revision() >= last);
    let told: Vec<_> =
        change.events().iter().map(|event| (event.kv.key_str().expect("text"), event.is_delete())).collect();
    assert_eq!(told, [("c/changed", false), ("c/deleted", true), ("c/new", false)]);
    assert_eq!(change.events()[0].prev_kv.as_ref().expect("it was there").value, "old");
    let expected = direct.get("c/").prefix().await.expect("get").kvs;
    assert_eq!(pairs(&reached(&cache, elsewhere).await), expected);
    assert_eq!(cache.counters().listed, 2);

    let after = direct.put("c/after", "v").await.expect("put").header.revision;
    assert_eq!(next(&mut changes).await.revision(), after, "then by a watch again");
}

/// Without a compaction nothing is listed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_costs_no_listing_and_no_change() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxied = cluster.proxied().expect("proxies start");
    let (direct, client) = (servers::client(cluster.endpoints()), servers::client(proxied.endpoints()));
    let cache = live(&client, KeyRange::prefix("c/")).await;
    let mut changes = cache.subscribe().expect("ready");
    for round in 0..5 {
        proxied.proxy(0).reset();
        let (key, value) = (format!("c/{round}"), "v");
        let put = direct.put(key, value).await.expect("put").header.revision;
        let change = next(&mut changes).await;
        assert_eq!((change.revision(), change.is_resynced(), change.events().len()), (put, false, 1));
    }
    assert_eq!((cache.counters().listed, cache.snapshot().expect("ready").len()), (1, 5));
}
