//! The Lock and Election services, and users.

use std::time::Duration;

use etcd_client_core::{Client, Code};
use etcd_testing::{Call, Etcd};

use crate::in_memory;

const TTL: Duration = Duration::from_secs(60);

/// Waits until the member got `count` requests that `wanted` accepts.
async fn received(etcd: &Etcd, count: usize, wanted: impl Fn(&Call) -> bool) {
    while etcd.requests().iter().filter(|received| wanted(&received.call)).count() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_passes_to_the_next_when_its_lease_ends() {
    let (etcd, client) = in_memory().await;
    let first = client.lease().grant(TTL).await.expect("a lease").id;
    let second = client.lease().grant(TTL * 2).await.expect("a lease").id;
    let held = client.server_lock().lock("l", first).await.expect("a free lock");
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.server_lock().lock("l", second).no_timeout().await })
    };
    received(&etcd, 2, |call| matches!(call, Call::Lock(_))).await;
    assert!(!waiting.is_finished());
    tokio::time::sleep(TTL).await;
    let next = waiting.await.expect("no panic").expect("the lock of an ended lease");
    assert_ne!(held.key, next.key);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_leaves_no_key() {
    let (etcd, client) = in_memory().await;
    let first = client.lease().grant(TTL).await.expect("a lease").id;
    let second = client.lease().grant(TTL).await.expect("a lease").id;
    client.server_lock().lock("l", first).await.expect("a free lock");
    let wait = client.server_lock().lock("l", second).timeout(Duration::from_secs(5));
    wait.await.expect_err("a held lock");
    while etcd.keys().len() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_election_has_one_leader() {
    let (_etcd, client) = in_memory().await;
    let error = client.server_election().leader("e").await.expect_err("no leader");
    assert_eq!(error.code(), Some(Code::ElectionNoLeader));
    let lease = client.lease().grant(TTL).await.expect("a lease").id;
    let mut leaders = client.server_election().observe("e").await.expect("a stream");
    let leader = client.server_election().campaign("e", lease, "a").await.expect("elected").leader;
    let seen = leaders.next().await.expect("a leader").expect("no error");
    assert_eq!(seen.kv.value, "a");
    client.server_election().proclaim(leader.clone(), "b").await.expect("the leader");
    assert_eq!(leaders.next().await.expect("a value").expect("no error").kv.value, "b");
    client.server_election().resign(leader.clone()).await.expect("the leader");
    let error = client.server_election().proclaim(leader, "c").await.expect_err("no leader any more");
    assert_eq!(error.code(), Some(Code::ElectionNotLeader));
}

#[tokio::test(start_paused = true)]
async fn users_may_do_what_their_roles_permit() {
    let (etcd, client) = in_memory().await;
    client.auth().user_add("root", "r").await.expect("a new user");
    client.auth().user_grant_role("root", "root").await.expect("the role root");
    client.auth().user_add("u", "p").await.expect("a new user");
    client.auth().enable().await.expect("root exists");
    let user = Client::builder(["http://127.0.0.1:2379"]).connector(etcd.connector()).password("u", "p");
    let user = user.build().expect("a valid endpoint");
    let error = user.get("k").await.expect_err("no permission");
    assert_eq!(error.code(), Some(Code::PermissionDenied));
    let error = client.get("k").await.expect_err("no token");
    assert_eq!(error.code(), Some(Code::UserEmpty));
}
