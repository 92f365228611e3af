//! A Txn that only checks is never answered from the past, not even by a member that was frozen and cut off meanwhile.

use std::time::Duration;

use etcd_client_core::{Compare, Get, Outcome};
use etcd_testkit::{Cluster, Member};

use crate::servers::{PATIENCE, client, eventually, metric};

const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn isolated_thawed_leader_rejects_a_txn_without_operations() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let leader = leader(&cluster).await;
    assert_fresh_or_refused(&cluster, leader).await;
}

#[tokio::test]
async fn isolated_thawed_follower_rejects_a_txn_without_operations() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let follower = (leader(&cluster).await + 1) % 3;
    assert_fresh_or_refused(&cluster, follower).await;
}

async fn leader(cluster: &Cluster) -> usize {
    let mut found = None;
    eventually("there is a leader", async || {
        for (index, member) in cluster.members().iter().enumerate() {
            if metric(member, "etcd_server_is_leader", &[]).await == 1.0 {
                found = Some(index);
            }
        }
        found.is_some()
    })
    .await;
    found.expect("it was found")
}

async fn assert_fresh_or_refused(cluster: &Cluster, frozen: usize) {
    let others = cluster.members().iter().enumerate().filter(|(index, _)| *index != frozen);
    let others = client(others.map(|(_, member)| member.endpoint()));
    others.put("k", "old").await.expect("put");
    let member = cluster.member(frozen);
    wait_for_old(member).await;

    member.pause().await.expect("paused");
    // Before the write: what the others send must not wait in the frozen member's sockets.
    cluster.isolate(frozen).expect("isolated");
    eventually("the others have a leader and write", async || {
        others.put("k", "new").timeout(SHORT).await.is_ok()
    })
    .await;
    cluster.cut_peer_links();
    member.resume().expect("resumed");

    let asked = client([member.endpoint()]);
    asked.wait_ready(PATIENCE).await.expect("clients are not cut off");
    let old = || Compare::value("k").equal("old");
    let checks = [
        asked.txn().when(old()),
        asked.txn().when(old()).then(Get::new("k").serializable()),
        asked.txn().when(old()).or_else(Get::new("k").serializable()),
        asked.txn().when(old()).then(Get::new("k")),
    ];
    for check in checks {
        match check.clone().timeout(SHORT).await {
            Ok(answer) => assert!(!answer.succeeded(), "a stale answer to {check:?}"),
            Err(error) => assert_eq!(error.outcome(), Outcome::NotApplied, "{error}"),
        }
    }
    // What the member would say if it were let to: the test can bite.
    let stale = asked.txn().when(old()).serializable().await.expect("needs no quorum");
    assert!(stale.succeeded(), "the member is not stale");
}

async fn wait_for_old(member: &Member) {
    let client = client([member.endpoint()]);
    let has_it = async || client.get("k").serializable().await.is_ok_and(|got| got.count == 1);
    eventually("the member has the key", has_it).await;
    client.close().await;
}
