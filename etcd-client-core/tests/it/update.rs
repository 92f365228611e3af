//! Updates on a real etcd: their results, and their outcomes while responses are lost and members are killed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{
    CallOptions, ErrorKind, KeyValue, LeaseId, Outcome,
    update::{Conflict, Next},
};
use etcd_testkit::{Cluster, Direction, Fault};
use tokio::{task::JoinSet, time::sleep};

use crate::servers::{PATIENCE, client, lent, shared};

/// The number of concurrent writers of one key.
const WRITERS: usize = 32;

/// The least number of increments of each writer.
const INCREMENTS: usize = 6;

fn number(kv: &KeyValue) -> u64 {
    kv.value_str().expect("text").parse().expect("a number")
}

fn increment(current: Option<&KeyValue>) -> String {
    (current.map_or(0, number) + 1).to_string()
}

#[tokio::test]
async fn update_returns_the_key_before_and_after() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let first = client.update("update/results", increment).await.expect("created");
    assert_eq!((first.changed, first.previous, first.attempts), (true, None, 1));
    for count in 2..5 {
        let updated = client.update("update/results", increment).await.expect("updated");
        let stored = client.get("update/results").await.expect("get").into_first();
        assert_eq!(updated.current, stored);
        assert_eq!(updated.previous.as_ref().map(number), Some(count - 1));
        assert_eq!(stored.map(|kv| kv.mod_revision), Some(updated.revision));
    }
    let kept = client.update("update/results", |_| Next::Keep).await.expect("kept");
    assert!(!kept.changed && kept.revision >= kept.current.expect("exists").mod_revision);
}

#[tokio::test]
async fn create_delete_if_and_swap_work_on_etcd() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    assert!(client.create("update/kinds", "a").await.expect("created").changed);
    let exists = client.create("update/kinds", "b").await.expect("found");
    assert!(!exists.changed && exists.current.expect("exists").value == "a");
    let swapped = client.swap("update/kinds", "c").await.expect("swapped");
    assert_eq!(swapped.previous.expect("existed").value, "a");
    assert!(!client.delete_if("update/kinds", |kv| kv.value == "a").await.expect("kept").changed);
    assert!(client.delete_if("update/kinds", |kv| kv.value == "c").await.expect("deleted").changed);
    assert_eq!(client.get("update/kinds").await.expect("get").count, 0);
}

#[tokio::test]
async fn update_keeps_the_lease_of_the_key() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = client.lease().grant(Duration::from_secs(600)).await.expect("granted").id;
    let stored = async || client.get("update/lease").await.expect("get").into_first().expect("exists").lease;
    client.swap("update/lease", "a").lease(lease).await.expect("written");
    assert_eq!(stored().await, Some(lease));
    client.swap("update/lease", "b").await.expect("written");
    assert_eq!(stored().await, Some(lease));
    let unknown = LeaseId::new(4711).expect("not zero");
    let error = client.swap("update/lease", "c").lease(unknown).await.expect_err("no such lease");
    assert!(error.is_lease_not_found(), "{error}");
    client.lease().revoke(lease).await.expect("revoked");
}

#[tokio::test]
async fn markers_are_few_and_belong_to_a_lease() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    for _ in 0..20 {
        client.update("counter", increment).await.expect("updated");
    }
    let namespaced = client.with_namespace("app/");
    namespaced.update("counter", increment).await.expect("updated");
    client.update("counter", increment).marker_prefix("elsewhere/").await.expect("updated");
    let keys = client.get("").all_keys().await.expect("get").kvs;
    let names: Vec<_> = keys.iter().map(|kv| kv.key_str().expect("text").to_owned()).collect();
    let markers =
        |prefix: &str| keys.iter().filter(|kv| kv.key.starts_with(prefix.as_bytes())).collect::<Vec<_>>();
    assert_eq!(markers("__update/").len(), 1, "{names:?}");
    assert_eq!(markers("app/__update/").len(), 1, "{names:?}");
    assert_eq!(markers("elsewhere/").len(), 1, "{names:?}");
    assert_eq!(names.len(), 5, "{names:?}");
    let lease = markers("__update/")[0].lease.expect("a lease");
    let left = client.lease().time_to_live(lease).await.expect("ttl").ttl.expect("alive");
    assert!(left > Duration::from_secs(300) && left <= Duration::from_secs(600), "{left:?}");
}

#[tokio::test]
async fn too_many_conflicts_are_an_error_with_the_last_one() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let client = client.clone();
        writers.spawn(async move { client.update("update/rival", increment).max_attempts(1).await });
    }
    let results = writers.join_all().await;
    let succeeded = results.iter().filter(|result| result.is_ok()).count() as u64;
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Conflict, Outcome::NotApplied), "{error}");
        let conflict = Conflict::of(&error).expect("a conflict");
        assert_eq!(conflict.attempts(), 1);
        assert!(conflict.current().is_some());
    }
    let counted = client.get("update/rival").await.expect("get").into_first().map(|kv| number(&kv));
    assert_eq!(counted, Some(succeeded));
}

/// Connections lose responses all the time, and one member after the other is killed, the leader included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counter_of_32_writers_is_exact_under_lost_responses_and_killed_members() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let proxied = cluster.proxied().expect("ports");
    for proxy in proxied.proxies() {
        proxy.fault(Direction::ToClient, Fault::CutAfter(6000));
    }
    let ended = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS / 4 {
        let client = client(proxied.endpoints());
        for _ in 0..4 {
            let (client, ended) = (client.clone(), Arc::clone(&ended));
            writers.spawn(async move {
                let (mut succeeded, mut unknown) = (0, 0);
                while succeeded < INCREMENTS || !ended.load(Ordering::Relaxed) {
                    // A short time for each request, so that writes to a killed member have an unknown outcome.
                    let options = CallOptions::default().timeout(Duration::from_millis(700));
                    let update = client.update("counter", increment).options(options);
                    match update.max_attempts(100_000).timeout(PATIENCE).await {
                        Ok(updated) => {
                            assert!(updated.changed);
                            succeeded += 1;
                        }
                        Err(error) if error.outcome_unknown() => unknown += 1,
                        Err(error) => panic!("{}", error.report()),
                    }
                }
                (succeeded, unknown)
            });
        }
    }
    for member in 0..3 {
        cluster.member(member).kill().expect("killed");
        sleep(Duration::from_secs(1)).await;
        cluster.member(member).restart().await.expect("restarted");
        cluster.wait_healthy(PATIENCE).await.expect("healthy");
    }
    ended.store(true, Ordering::Relaxed);
    let results = writers.join_all().await;
    let (succeeded, unknown) =
        results.iter().fold((0, 0), |sum, (succeeded, unknown)| (sum.0 + succeeded, sum.1 + unknown));
    let reader = client(cluster.endpoints());
    let counted =
        reader.get("counter").timeout(PATIENCE).await.expect("get").into_first().map(|kv| number(&kv));
    assert_eq!(unknown, 0, "every outcome could be determined");
    assert_eq!(counted, Some(succeeded as u64));
    let connections: usize = proxied.proxies().iter().map(|proxy| proxy.counts().connects).sum();
    assert!(connections > 50, "{connections} connections in {succeeded} updates");
}
