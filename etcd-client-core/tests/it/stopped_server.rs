//! Calls to a member that was killed, is frozen, or comes back meanwhile.

use std::time::Duration;

use etcd_client_core::{Client, Error, ErrorKind, Get, Outcome, Put, types::Version};
use etcd_testkit::Cluster;
use tokio::time::timeout;

use crate::{
    servers::{PATIENCE, client},
    tap::{Tap, payload},
};

const SHORT: Duration = Duration::from_millis(300);

/// One member, a client that has used it, and what the client writes.
async fn served() -> Option<(Cluster, Client, Tap)> {
    let cluster = Cluster::builder().start_or_skip().await?;
    let tap = Tap::default();
    let builder = Client::builder(cluster.endpoints()).connector(tap.clone());
    let client = builder.timeout(PATIENCE).build().expect("built");
    client.put("k", "v").await.expect("put");
    Some((cluster, client, tap))
}

fn assert_ended(error: &Error) {
    let kind = error.kind();
    assert!(matches!(kind, ErrorKind::Unavailable | ErrorKind::Timeout), "{}", error.report());
    assert!(error.elapsed().is_some_and(|elapsed| elapsed < PATIENCE), "{}", error.report());
}

/// What a failed write says of itself is true.
async fn assert_truthful(cluster: &Cluster, key: &str, failed: Option<&Error>) {
    let fresh = client(cluster.endpoints());
    let got = fresh.get(key).timeout(PATIENCE).await.expect("get");
    let versions: Vec<i64> = got.kvs.iter().map(|kv| kv.version.get()).collect();
    match failed.map(Error::outcome) {
        None => assert_eq!(versions, [1]),
        Some(Outcome::NotApplied) => assert!(versions.is_empty(), "applied, but said to be not"),
        Some(_) => assert!(versions.is_empty() || versions == [1], "{versions:?}"),
    }
}

#[tokio::test]
async fn calls_to_a_killed_member_end_and_the_client_closes() {
    let Some((cluster, client, _)) = served().await else { return };
    cluster.member(0).kill().expect("killed");
    let error = client.get("k").timeout(SHORT).await.expect_err("nobody answers");
    assert_ended(&error);
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.report().to_string().contains(cluster.member(0).endpoint()), "{}", error.report());
    let put = client.put("new", "v").timeout(SHORT).await.expect_err("nobody answers");
    assert_ended(&put);
    let txn = client.txn().then(Put::new("txn", "v")).timeout(SHORT).await.expect_err("nobody answers");
    assert_ended(&txn);
    timeout(PATIENCE, client.close()).await.expect("it closes");
    cluster.member(0).restart().await.expect("restarted");
    assert_truthful(&cluster, "new", Some(&put)).await;
    assert_truthful(&cluster, "txn", Some(&txn)).await;
}

#[tokio::test]
async fn calls_to_a_frozen_member_end_at_their_deadline() {
    let Some((cluster, client, _)) = served().await else { return };
    cluster.member(0).pause().await.expect("paused");
    let got = client.get("k").timeout(SHORT).await.expect_err("nobody answers");
    assert_ended(&got);
    assert_eq!(got.outcome(), Outcome::NotApplied);
    let put = client.put("new", "v").timeout(SHORT).await.expect_err("nobody answers");
    assert_ended(&put);
    let idle = Client::builder(cluster.endpoints()).timeout(SHORT).build().expect("built");
    let error = idle.ready().await.expect_err("the kernel accepts, the member does not");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    cluster.member(0).resume().expect("resumed");
    assert_eq!(client.get("k").await.expect("get").kvs[0].value, "v");
    assert_truthful(&cluster, "new", Some(&put)).await;
}

#[tokio::test]
async fn a_get_outlives_the_restart_of_its_member() {
    let Some((cluster, client, tap)) = served().await else { return };
    let member = cluster.member(0);
    member.pause().await.expect("paused");
    let before = tap.written();
    // Sent while the member is frozen, all are lost with it; only the put must not be repeated.
    let others = async {
        tap.wrote(before, 1).await;
        let restart = member.restart();
        tokio::join!(client.get("k"), client.lease().list(), client.txn().then(Get::new("k")), restart)
    };
    let (put, (got, listed, txn, restarted)) = tokio::join!(client.put("new", payload()), others);
    restarted.expect("restarted");
    assert_eq!(got.expect("a read is retried").kvs[0].value, "v");
    listed.expect("a read is retried");
    assert_eq!(txn.expect("a read-only txn is retried").responses().len(), 1);
    let error = put.expect_err("a write is not retried");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::Unknown), "{error}");
    assert_truthful(&cluster, "new", Some(&error)).await;
    client.put("again", "v").await.expect("the client goes on");
}

#[tokio::test]
async fn a_call_waits_for_a_member_that_is_down() {
    let Some((cluster, client, _)) = served().await else { return };
    cluster.member(0).kill().expect("killed");
    let error = client.put("new", "v").timeout(SHORT).await.expect_err("nobody answers");
    let (got, restarted) = tokio::join!(client.get("k"), cluster.member(0).restart());
    restarted.expect("restarted");
    let kv = got.expect("it waits").into_first().expect("the key");
    assert_eq!((kv.value_str(), kv.version), (Ok("v"), Version::new(1)));
    assert_truthful(&cluster, "new", Some(&error)).await;
    client.put("again", "v").await.expect("put");
    assert_truthful(&cluster, "again", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gets_in_flight_end_when_the_member_stops() {
    let Some((cluster, client, _)) = served().await else { return };
    let mut gets = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        gets.spawn(async move { client.get("k").serializable().timeout(Duration::from_secs(2)).await });
    }
    cluster.member(0).stop().await.expect("stopped");
    while let Some(got) = timeout(PATIENCE, gets.join_next()).await.expect("none hangs") {
        if let Err(error) = got.expect("no panic") {
            assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
        }
    }
}
