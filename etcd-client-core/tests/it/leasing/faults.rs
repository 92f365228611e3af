//! Handles whose links, members and leases fail.

use std::time::Duration;

use etcd_client_core::{Compare, ErrorKind, Get, Put};
use etcd_testkit::{Accept, Cluster, Direction, Proxy};
use tokio::time::timeout;

use super::{cached, pair, put, start, stored, value};
use crate::servers::{self, PATIENCE, eventually};

const SHORT: Duration = Duration::from_millis(500);

/// A member, with a proxy for the client of one handle.
async fn behind_a_proxy() -> Option<(Cluster, Proxy)> {
    let cluster = Cluster::builder().start_or_skip().await?;
    let proxy = Proxy::to(cluster.member(0).tcp_endpoint()).expect("a proxy");
    Some((cluster, proxy))
}

#[tokio::test]
async fn write_waits_for_an_unreachable_owner_until_its_timeout() {
    let Some((cluster, proxy)) = behind_a_proxy().await else { return };
    let owner = start(&servers::client([proxy.endpoint()]), "own/", 600).await;
    let client = servers::client(cluster.endpoints());
    let other = start(&client, "own/", 600).await;
    pair(&owner, "k").await;
    proxy.hold(Direction::Both);
    for error in [
        other.put("k", "v").timeout(SHORT).await.expect_err("the owner is cut off"),
        other.txn().then(Put::new("k", "v")).timeout(SHORT).await.expect_err("the owner is cut off"),
        other.delete("k").prefix().timeout(SHORT).await.expect_err("the owner is cut off"),
    ] {
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Timeout, false), "{error}");
    }
    assert_eq!(cached(&owner, "k").await, None, "no write was applied");
    proxy.heal().await;
    put(&other, "k", "v").await;
    assert_eq!(value(&owner, "k").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn owner_releases_after_its_link_and_history_were_lost() {
    let Some((cluster, proxy)) = behind_a_proxy().await else { return };
    let owner = start(&servers::client([proxy.endpoint()]), "own/", 600).await;
    let client = servers::client(cluster.endpoints());
    let other = start(&client, "own/", 600).await;
    pair(&owner, "k").await;
    proxy.accept(Accept::Reset).await;
    proxy.reset();
    let writer = other.clone();
    let write = tokio::spawn(async move { writer.put("k", "v").await });
    let revoked = async || stored(&client, "own/k").await.is_some_and(|kv| kv.value == "REVOKE");
    eventually("the owner is asked for the key", revoked).await;
    // The event that asks for the key is gone before the owner can read it.
    let last = client.put("other", "").await.expect("put").header.revision;
    client.compact(last).physical().await.expect("compacted");
    assert!(!write.is_finished());
    assert_eq!(cached(&owner, "k").await, None);
    proxy.heal().await;
    timeout(PATIENCE, write).await.expect("in time").expect("no panic").expect("put");
    assert_eq!(value(&owner, "k").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn writes_over_a_flapping_link_leave_the_state_of_the_store() {
    let Some((cluster, proxy)) = behind_a_proxy().await else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&servers::client([proxy.endpoint()]), "own/", 600).await;
    put(&leasing, "kk", "y").await;
    for round in 0..20 {
        put(&leasing, "k", "x").await;
        pair(&leasing, "k").await;
        let flapping = async {
            for _ in 0..20 {
                proxy.reset();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let writing = async {
            let text = round.to_string();
            // Any of them may fail. Its outcome is then unknown, or it is not applied.
            match fastrand::u8(..5) {
                0 => leasing.put("k", text).await.map(drop),
                1 => leasing.delete("k").await.map(drop),
                2 => leasing.delete("k").prefix().await.map(drop),
                3 => leasing.txn().then((Get::new("k"), etcd_client_core::Delete::new("k"))).await.map(drop),
                _ => leasing.txn().then((Get::new("k"), Put::new("k", text))).await.map(drop),
            }
        };
        let (_, written) = tokio::join!(flapping, timeout(PATIENCE, writing));
        let written = written.expect("in time");
        for key in ["k", "kk"] {
            assert_eq!(pair(&leasing, key).await, stored(&client, key).await, "round {round}: {written:?}");
        }
    }
}

#[tokio::test]
async fn reads_over_a_flapping_link_succeed() {
    let Some((cluster, proxy)) = behind_a_proxy().await else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&servers::client([proxy.endpoint()]), "own/", 600).await;
    for number in 0..4 {
        put(&leasing, &format!("k-{}", number * 2), "v").await;
    }
    for number in 0..10 {
        let key = format!("k-{number}");
        let flapping = async {
            for _ in 0..10 {
                proxy.reset();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let reading = async {
            pair(&leasing, &key).await;
            let txn = leasing.txn().when(Compare::version(key.clone()).equal(0)).then(Get::new(key.clone()));
            timeout(PATIENCE, txn).await.expect("in time").expect("read");
        };
        tokio::join!(flapping, reading);
        assert_eq!(pair(&leasing, &key).await, stored(&client, &key).await);
    }
}

/// The owner neither knows that its lease has expired nor that the key was written: its own clock shows it.
#[tokio::test]
async fn another_client_writes_after_the_session_expired() {
    let Some((cluster, proxy)) = behind_a_proxy().await else { return };
    let owner = start(&servers::client([proxy.endpoint()]), "own/", 2).await;
    let client = servers::client(cluster.endpoints());
    let other = start(&client, "own/", 600).await;
    put(&owner, "abc", "old").await;
    pair(&owner, "abc").await;
    cached(&owner, "abc").await;
    proxy.hold(Direction::Both);
    timeout(PATIENCE, other.put("abc", "def")).await.expect("in time").expect("put");
    owner.get("abc").timeout(SHORT).await.expect_err("neither from memory nor from the member");
    proxy.heal().await;
    assert_eq!(value(&owner, "abc").await.as_deref(), Some("def"));
    eventually("there is another lease", async || owner.error().is_none()).await;
    let owned = async || {
        pair(&owner, "abc").await;
        owner.counters().owned_keys == 1
    };
    eventually("the key is owned again", owned).await;
    assert_eq!(cached(&owner, "abc").await.expect("it exists").value, "def");
}

#[tokio::test]
async fn every_request_has_its_timeout_without_a_session() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "own/", 2).await;
    pair(&leasing, "abc").await;
    cluster.member(0).kill().expect("killed");
    eventually("the lease is lost", async || leasing.error().is_some()).await;
    leasing.get("abc").timeout(SHORT).await.expect_err("get");
    leasing.put("abc", "v").timeout(SHORT).await.expect_err("put");
    leasing.delete("abc").timeout(SHORT).await.expect_err("deletion");
    leasing.txn().then(Get::new("abc")).timeout(SHORT).await.expect_err("transaction");
    leasing.txn().then(Put::new("abc", "v")).timeout(SHORT).await.expect_err("transaction that writes");
    assert!(timeout(SHORT, leasing.ready()).await.is_err(), "there is no lease");
    cluster.member(0).restart().await.expect("restarted");
    timeout(PATIENCE, leasing.ready()).await.expect("in time").expect("a lease");
    put(&leasing, "abc", "v").await;
}
