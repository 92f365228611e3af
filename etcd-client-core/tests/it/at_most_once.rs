//! No write is applied twice, and each says truly whether it was applied, while connections and members come and go.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_client_core::{Client, Error, Outcome};
use etcd_testkit::Cluster;
use tokio::task::JoinSet;

use crate::{
    servers::{PATIENCE, client, shared},
    tap::Tap,
};

/// Each put has a key of its own: its version is how often it was applied.
async fn assert_truthful(reader: &Client, prefix: &str, results: &[(String, Option<Error>)]) {
    let got = reader.get(prefix).prefix().timeout(PATIENCE).await.expect("get");
    let version = |key: &str| got.kvs.iter().find(|kv| kv.key == key).map_or(0, |kv| kv.version.get());
    for (key, error) in results {
        match error.as_ref().map(Error::outcome) {
            None => assert_eq!(version(key), 1, "{key} succeeded"),
            Some(Outcome::NotApplied) => assert_eq!(version(key), 0, "{key}: {error:?}"),
            Some(_) => assert!(version(key) <= 1, "{key} was applied {} times", version(key)),
        }
    }
}

/// A client whose connections are reset after up to `bytes` bytes of answers. It waits for the next one.
fn dropping(cluster: &Cluster, bytes: usize) -> (Client, Tap) {
    let tap = Tap::resetting_after(bytes);
    let builder = Client::builder(cluster.endpoints()).connector(tap.clone());
    (builder.timeout(PATIENCE).build().expect("built"), tap)
}

#[tokio::test]
async fn puts_while_connections_drop_constantly() {
    let Some(cluster) = shared() else { return };
    let (client, tap) = dropping(cluster, 1500);
    let mut results = Vec::new();
    let mut lost = 0;
    while tap.connections() < 6 {
        let batch: Vec<String> = (0..8).map(|i| format!("dropping/{}", results.len() + i)).collect();
        let puts = batch.iter().map(|key| client.put(key, "v").into_future());
        for (key, result) in batch.iter().zip(futures_util::future::join_all(puts).await) {
            lost += usize::from(result.is_err());
            results.push((key.clone(), result.err()));
        }
    }
    assert_truthful(&self::client(cluster.endpoints()), "dropping/", &results).await;
    assert!(lost > 0, "no answer was lost in {} puts", results.len());
}

#[tokio::test]
async fn reads_and_grants_succeed_while_connections_drop_constantly() {
    let Some(cluster) = shared() else { return };
    let (client, tap) = dropping(cluster, 1500);
    while tap.connections() < 5 {
        let gets = (0..4).map(|_| client.get("dropping").into_future());
        for got in futures_util::future::join_all(gets).await {
            got.expect("a read is retried");
        }
        let id = client.lease().grant(Duration::from_secs(600)).await.expect("a grant is recognised").id;
        let ask = client.lease().time_to_live(id).await.expect("a read is retried");
        assert!(ask.ttl.is_some(), "granted");
        client.lease().revoke(id).await.expect("a revocation is recognised");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_are_applied_once_while_the_member_restarts() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let ended = std::sync::Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let (client, ended) = (client.clone(), std::sync::Arc::clone(&ended));
        tasks.spawn(async move {
            let mut results = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let key = format!("killing/{task}/{}", results.len());
                let result = client.put(&key, "v").timeout(Duration::from_millis(500)).await;
                results.push((key, result.err()));
            }
            results
        });
    }
    for _ in 0..4 {
        cluster.member(0).restart().await.expect("restarted");
        client.put("between", "v").timeout(PATIENCE).await.expect("the client recovers");
    }
    ended.store(true, Ordering::Relaxed);
    let results: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert!(results.iter().any(|(_, error)| error.is_none()), "no put succeeded");
    assert_truthful(&client, "killing/", &results).await;
}
