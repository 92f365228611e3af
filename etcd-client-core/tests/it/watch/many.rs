//! Many watches at once, and what they leave behind.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::time::Duration;

use etcd_client_core::{Client, watch::WatchStream};
use etcd_testkit::Cluster;
use futures_util::future::join_all;

use super::rig::{events, pairs};
use crate::servers::{PATIENCE, client, eventually, lent, metric};

async fn watchers(cluster: &Cluster) -> f64 {
    metric(cluster.member(0), "etcd_debugging_mvcc_watcher_total", &[]).await
}

async fn watch_all(client: &Client, count: usize) -> Vec<WatchStream> {
    let creations = (0..count).map(|n| client.watch(format!("k/{n}")).timeout(PATIENCE).into_future());
    join_all(creations).await.into_iter().map(|watch| watch.expect("watch")).collect()
}

/// The resident memory of this process, in KiB; `None` where the system does not say.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_watches_on_one_connection_leave_nothing_behind() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut first = client.watch("k/").prefix().await.expect("watch");
    let (before, memory) = (watchers(lent.cluster).await, resident());
    let began = tokio::time::Instant::now();
    let mut watches = watch_all(&client, 10_000).await;
    let took = began.elapsed();
    if let (Some(before), Some(after)) = (memory, resident()) {
        println!(
            "10,000 watches: created in {took:?}, {} bytes each",
            after.saturating_sub(before) * 1024 / 10_000
        );
    }
    assert_eq!(watchers(lent.cluster).await - before, 10_000.0);
    for n in [0, 4_999, 5_000, 9_999] {
        client.put(format!("k/{n}"), "v").await.expect("put");
        assert_eq!(pairs(&mut watches[n], 1).await, [(format!("k/{n}"), "v".to_owned())]);
    }
    drop(watches);
    eventually("the server has none left", async || watchers(lent.cluster).await <= before).await;
    assert_eq!(events(&mut first, 4).await.len(), 4);
    assert_eq!(first.counters().resumed, 0, "no stream was lost over it");
    drop(first);
    eventually("not one is left", async || watchers(lent.cluster).await < before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_that_come_and_go_disturb_no_other() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut watch = client.watch("k").await.expect("watch");
    let before = watchers(lent.cluster).await;
    for round in 0..1_000 {
        let created = client.watch("k").into_future();
        if round % 2 == 0 {
            drop(created.await.expect("watch"));
        } else {
            // Given up before it is created, as often as not.
            let _ = tokio::time::timeout(Duration::from_micros(50), created).await;
        }
    }
    eventually("they are gone", async || watchers(lent.cluster).await <= before).await;
    client.put("k", "v").await.expect("put");
    assert_eq!(events(&mut watch, 1).await[0].kv.value, "v");
    assert_eq!(watch.counters().resumed, 0);
}

#[tokio::test]
async fn different_metadata_is_a_different_stream() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let streams = || {
        let labels = ["grpc_service=\"etcdserverpb.Watch\""];
        async move { metric(lent.cluster.member(0), "grpc_server_started_total", &labels).await }
    };
    let before = streams().await;
    let mut watches = Vec::new();
    for n in 0..10_usize {
        let watch = client.watch("k").metadata("x-stream", (n % 5).to_string());
        watches.push(if n % 2 == 0 { watch.prev_kv() } else { watch }.await.expect("watch"));
    }
    assert_eq!(streams().await - before, 5.0);
    client.put("k", "1").await.expect("put");
    client.put("k", "2").await.expect("put");
    for (n, watch) in watches.iter_mut().enumerate() {
        let seen = events(watch, 2).await;
        assert_eq!(seen[1].prev_kv.as_ref().is_some_and(|kv| kv.value == "1"), n % 2 == 0);
    }
}
