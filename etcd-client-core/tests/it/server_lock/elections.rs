//! Elections on a real member: who leads, what is proclaimed, and what observers see.

use etcd_client_core::{Client, Code, ErrorKind, LeaseId, Outcome, Put, election::LeaderStream};
use etcd_testkit::Cluster;
use tokio::{task::JoinHandle, time::timeout};

use super::{contended, granted};
use crate::servers::{PATIENCE, client, shared};

fn campaign(
    client: &Client,
    name: &'static str,
    lease: LeaseId,
) -> JoinHandle<Result<etcd_client_core::election::ElectionCampaignResponse, etcd_client_core::Error>> {
    let client = client.clone();
    tokio::spawn(async move { client.server_election().campaign(name, lease, "second").await })
}

async fn observed(leaders: &mut LeaderStream) -> String {
    let leader = timeout(PATIENCE, leaders.next()).await.expect("in time").expect("no end");
    leader.expect("a leader").kv.value_str().expect("text").to_owned()
}

#[tokio::test]
async fn the_second_candidate_leads_after_the_first() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    let one = client.server_election().campaign("boss/two", first, "first").await.expect("won").leader;
    assert_eq!((one.key.as_bytes(), one.lease), (format!("boss/two/{first:x}").as_bytes(), first));
    let candidate = campaign(&client, "boss/two", second);
    contended(&client, "boss/two", 2).await;
    assert!(!candidate.is_finished(), "another leads");
    let leader = client.server_election().leader("boss/two").await.expect("a leader");
    assert_eq!(leader.kv.value_str(), Ok("first"));
    assert_eq!((leader.kv.create_revision, leader.kv.lease), (one.create_revision, Some(first)));
    client.server_election().resign(one.clone()).await.expect("resigned");
    let two = timeout(PATIENCE, candidate).await.expect("in time").expect("no panic").expect("won").leader;
    assert!(two.create_revision > one.create_revision);
    assert!(!client.txn().when(one.owned()).await.expect("a check").succeeded());
    assert!(client.txn().when(two.owned()).then(Put::new("boss/did", "1")).await.expect("a txn").succeeded());
    let error = client.server_election().proclaim(one.clone(), "still me").await.expect_err("it left");
    assert_eq!((error.code(), error.outcome()), (Some(Code::ElectionNotLeader), Outcome::NotApplied));
    client.server_election().resign(one).await.expect("who does not lead resigns from nothing");
    let leader = client.server_election().leader("boss/two").await.expect("a leader");
    assert_eq!(leader.kv.value_str(), Ok("second"));
}

#[tokio::test]
async fn election_without_candidates_has_no_leader() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let error = client.server_election().leader("boss/none").await.expect_err("nobody");
    assert_eq!((error.code(), error.outcome()), (Some(Code::ElectionNoLeader), Outcome::NotApplied));
}

#[tokio::test]
async fn observers_see_each_leader_and_each_proclamation() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    let mut leaders = client.server_election().observe("boss/seen").await.expect("a stream");
    // Nobody leads: the stream waits, longer than any call.
    let one = client.server_election().campaign("boss/seen", first, "first").await.expect("won").leader;
    assert_eq!(observed(&mut leaders).await, "first");
    client.server_election().proclaim(one.clone(), "first again").await.expect("proclaimed");
    assert_eq!(observed(&mut leaders).await, "first again");
    let candidate = campaign(&client, "boss/seen", second);
    contended(&client, "boss/seen", 2).await;
    client.lease().revoke(first).await.expect("revoked");
    assert_eq!(observed(&mut leaders).await, "second");
    timeout(PATIENCE, candidate).await.expect("in time").expect("no panic").expect("won");
    let mut late = client.server_election().observe("boss/seen").await.expect("a stream");
    assert_eq!(observed(&mut late).await, "second");
    client.close().await;
    let end = timeout(PATIENCE, leaders.next()).await.expect("in time").expect("an error");
    assert_eq!(end.expect_err("closed").kind(), ErrorKind::Closed);
    assert!(leaders.next().await.is_none());
}

#[tokio::test]
async fn an_observer_that_waits_for_a_first_leader_sees_it() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = granted(&client).await;
    let mut leaders = client.server_election().observe("boss/first").await.expect("a stream");
    let early = tokio::spawn(async move { observed(&mut leaders).await });
    client.get("boss/first/").prefix().await.expect("a read behind the observer's request");
    client.server_election().campaign("boss/first", lease, "first").await.expect("won");
    assert_eq!(timeout(PATIENCE, early).await.expect("in time").expect("no panic"), "first");
}

#[tokio::test]
async fn loss_of_the_member_ends_observation_and_candidacy() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    client.server_election().campaign("boss/killed", first, "first").await.expect("won");
    let mut leaders = client.server_election().observe("boss/killed").await.expect("a stream");
    assert_eq!(observed(&mut leaders).await, "first");
    let candidate = campaign(&client, "boss/killed", second);
    contended(&client, "boss/killed", 2).await;
    cluster.member(0).kill().expect("killed");
    let error = timeout(PATIENCE, candidate).await.expect("in time").expect("no panic").expect_err("killed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::Unknown), "{error}");
    let end = timeout(PATIENCE, leaders.next()).await.expect("in time").expect("an error");
    let error = end.expect_err("killed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied), "{error}");
    assert!(error.report().to_string().contains(cluster.member(0).endpoint()), "{}", error.report());
}
