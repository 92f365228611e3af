//! Leadership moved to another member, wherever it was.
//!
//! | etcd | here |
//! |---|---|
//! | `TestMaintenanceMoveLeader` (`maintenance_test.go`) | [`leadership_moves_to_the_member_named`]; through a follower alone: [`leader_without_an_endpoint_is_named`] |
//! | `TestMoveLeader`, `TestMoveLeaderService` | [`leadership_moves_to_the_member_named`] |
//! | `TestMoveLeaderError` | `hostile::move_leader`: the client goes to the leader, so the answer takes a scripted server |
//! | `TestMoveLeaderToLearnerError` | [`only_a_member_with_a_vote_can_lead`] |

use std::time::Duration;

use etcd_client_core::{Client, Code, ErrorKind, Outcome, types::MemberId};
use etcd_testkit::Cluster;

use crate::servers::{client, eventually};

/// The members at the endpoints, in their order, and the leader among them.
async fn survey(client: &Client, cluster: &Cluster) -> (Vec<MemberId>, usize) {
    let mut found = None;
    eventually("all members name the same leader", async || {
        let mut statuses = Vec::new();
        for endpoint in cluster.endpoints() {
            // Each is a connection of its own, which a busy machine may not make in time.
            let Ok(status) = client.maintenance().status(endpoint).await else { return false };
            statuses.push(status);
        }
        let leader = statuses[0].leader;
        let agreed = leader.is_some() && statuses.iter().all(|status| status.leader == leader);
        let members: Vec<_> = statuses.iter().map(|status| status.header.member_id).collect();
        let position = members.iter().position(|&id| Some(id) == leader);
        found = agreed.then(|| (members, position.expect("one of them leads")));
        found.is_some()
    })
    .await;
    found.expect("it was found")
}

#[tokio::test]
async fn leadership_moves_to_the_member_named() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let (members, leader) = survey(&client, &cluster).await;
    for step in 1..=3 {
        let to = (leader + step) % 3;
        client.maintenance().move_leader(members[to]).await.expect("moved");
        assert_eq!(survey(&client, &cluster).await.1, to);
    }
    client.maintenance().move_leader(members[leader]).await.expect("it leads already");
    assert_eq!(survey(&client, &cluster).await.1, leader);
}

#[tokio::test]
async fn dead_endpoint_does_not_prevent_the_move() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let mut endpoints = vec!["http://127.0.0.1:1".to_owned()];
    endpoints.extend(cluster.endpoints());
    let client = client(endpoints);
    let (members, leader) = survey(&client, &cluster).await;
    client.maintenance().move_leader(members[(leader + 1) % 3]).await.expect("moved");
    assert_eq!(survey(&client, &cluster).await.1, (leader + 1) % 3);
}

#[tokio::test]
async fn leader_without_an_endpoint_is_named() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let (members, leader) = survey(&client(cluster.endpoints()), &cluster).await;
    let follower = (leader + 1) % 3;
    let client = client([cluster.member(follower).endpoint()]);
    let error = client.maintenance().move_leader(members[follower]).await.expect_err("the leader is unknown");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied), "{error}");
    assert!(error.message().contains(&members[leader].to_string()), "{error}");
    assert_eq!(error.operation(), Some("move leader"));
}

#[tokio::test]
async fn without_a_quorum_there_is_no_leader() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let (members, leader) = survey(&client, &cluster).await;
    let left = (leader + 1) % 3;
    for gone in [leader, (leader + 2) % 3] {
        cluster.member(gone).kill().expect("killed");
    }
    eventually("the member that is left knows of no leader", async || {
        let status = client.maintenance().status(cluster.member(left).endpoint()).await.expect("a status");
        status.leader.is_none() && !status.errors.is_empty()
    })
    .await;
    let error = client.maintenance().move_leader(members[left]).await.expect_err("no leader");
    assert!(error.is_no_leader() && error.is_unavailable(), "{}", error.report());
    assert_eq!((error.code(), error.outcome()), (Some(Code::NoLeader), Outcome::NotApplied));
    assert!(!error.attempts().is_empty(), "the dead ones are listed: {}", error.report());
}

#[tokio::test]
async fn only_a_member_with_a_vote_can_lead() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let learner =
        client.cluster().member_add(["http://127.0.0.1:1"]).learner().await.expect("added").member.id;
    for to in [learner, MemberId::new(1)] {
        let move_leader = client.maintenance().move_leader(to).timeout(Duration::from_secs(3));
        let error = move_leader.await.expect_err("it cannot lead");
        assert_eq!(error.code(), Some(Code::BadLeaderTransferee), "{}", error.report());
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
}
