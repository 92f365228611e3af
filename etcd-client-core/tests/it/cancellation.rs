//! Futures that are dropped before they end.

use std::time::Duration;

use etcd_client_core::{Client, types::Version};
use etcd_testkit::Cluster;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    servers::{PATIENCE, client, shared},
    tap::{Tap, payload},
};

#[tokio::test]
async fn a_dropped_get_leaves_the_client_and_its_connection_as_they_were() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let tap = Tap::default();
    let client = Client::builder(cluster.endpoints()).connector(tap.clone()).build().expect("built");
    client.put("k", "v").await.expect("put");
    cluster.member(0).pause().await.expect("paused");
    let before = tap.written();
    tokio::select! {
        answer = client.get(payload()) => panic!("a paused member answers: {answer:?}"),
        () = tap.wrote(before, 1) => {}
    }
    cluster.member(0).resume().expect("resumed");
    assert_eq!(client.get("k").await.expect("get").kvs[0].value, "v");
    assert_eq!(tap.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn a_dropped_put_is_applied_at_most_once() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let tap = Tap::default();
    let client = Client::builder(cluster.endpoints()).connector(tap.clone()).build().expect("built");
    client.get("k").await.expect("get");
    cluster.member(0).pause().await.expect("paused");
    let before = tap.written();
    tokio::select! {
        answer = client.put("k", payload()) => panic!("a paused member answers: {answer:?}"),
        () = tap.wrote(before, 1) => {}
    }
    cluster.member(0).resume().expect("resumed");
    client.put("after", "v").await.expect("put");
    let versions: Vec<Version> =
        client.get("k").await.expect("get").kvs.iter().map(|kv| kv.version).collect();
    assert!(versions.is_empty() || versions == [Version::new(1)], "{versions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aborted_calls_do_not_affect_others() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    client.put("aborted/steady", "v").await.expect("put");
    let mut tasks = JoinSet::new();
    for round in 0..400 {
        let client = client.clone();
        let patience = Duration::from_micros(fastrand::u64(0..2000));
        tasks.spawn(async move {
            let put = async { client.put(format!("aborted/{round}"), "v").await.map(drop) };
            let ended = timeout(patience, put).await;
            assert!(!matches!(ended, Ok(Err(_))), "{ended:?}");
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic");
    }
    let all = timeout(PATIENCE, client.get("aborted/").prefix()).await.expect("in time").expect("get");
    assert!(all.kvs.iter().all(|kv| kv.version == Version::new(1)));
}
