//! The members of a cluster: listed, added, updated, removed, promoted.
//!
//! | etcd (`cluster_test.go`) | here |
//! |---|---|
//! | `TestMemberList` | [`every_member_is_listed`] |
//! | `TestMemberAdd`, `TestMemberAddWithExistingURLs`, `TestMemberUpdate`, `TestMemberRemove` | [`a_voter_is_added_updated_and_removed`] |
//! | `TestMemberAddUpdateWrongURLs` | [`wrong_peer_urls_are_never_sent`], and the table of `PeerUrl` |
//! | `TestMemberAddForLearner`, `TestMemberUpdateLearner`, `TestMaxLearnerInCluster` | [`a_learner_stays_one_and_there_is_a_limit`] |
//! | `TestMemberPromote`, `TestMemberPromoteMemberNotLearner`, `TestMemberPromoteMemberNotExist` | [`a_learner_is_promoted_through_a_follower`] |
//!
//! | etcd (`tests/common/member_test.go`) | here |
//! |---|---|
//! | `TestMemberList` | [`every_member_is_listed`] |
//! | `TestMemberAdd` | [`a_voter_is_added_updated_and_removed`], [`strict_checks_protect_the_quorum`] |
//! | `TestMemberRemove` | [`a_voter_is_added_updated_and_removed`], [`strict_checks_protect_the_quorum`], [`the_only_member_stays`] |
//! | `TestMemberListSerializable` | [`without_a_quorum_only_a_serializable_list_is_answered`] |

use std::time::Duration;

use etcd_client_core::{
    Client, Code, Error, ErrorKind, Outcome,
    types::{Member, MemberId},
};
use etcd_testkit::{Cluster, Line};

use crate::servers::{PATIENCE, client, eventually, shared};

const SHORT: Duration = Duration::from_secs(1);

/// Without it a cluster refuses changes until its members have been connected for 5 s.
const NO_STRICT_CHECKS: (&str, &str) = ("--strict-reconfig-check", "false");

fn ids(members: &[Member]) -> Vec<MemberId> {
    members.iter().map(|member| member.id).collect()
}

fn find(members: &[Member], id: MemberId) -> &Member {
    members.iter().find(|member| member.id == id).expect("it is among the members")
}

fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Error>, code: Code) {
    let error = answer.expect_err("refused");
    assert_eq!(error.code(), Some(code), "{}", error.report());
    // A member repeats a promotion that it forwards: this answer may be to the second.
    let outcome = if code == Code::MemberNotLearner { Outcome::Unknown } else { Outcome::NotApplied };
    assert_eq!(error.outcome(), outcome, "{}", error.report());
}

#[tokio::test]
async fn every_member_is_listed() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let listed = client.cluster().member_list().await.expect("listed");
    assert!(listed.header.member_id != 0 && listed.header.cluster_id != 0);
    for member in cluster.members() {
        let found = listed.members.iter().find(|found| found.name == member.name()).expect("by its name");
        assert_eq!(found.client_urls, [member.tcp_endpoint()]);
        assert_eq!(found.peer_urls.len(), 1);
        assert!(found.is_started() && !found.is_learner);
    }
    assert_eq!(listed.members.len(), 3);
    let serializable = client.cluster().member_list().serializable().await.expect("listed");
    assert_eq!(serializable.members, listed.members);
}

#[tokio::test]
async fn a_voter_is_added_updated_and_removed() {
    let (flag, value) = NO_STRICT_CHECKS;
    let builder = Cluster::builder().members(3).arg(flag, value);
    let Some(cluster) = builder.start_or_skip().await else { return };
    // A change is committed by three of four voters, one of which never starts: a busy member may take seconds.
    let client = Client::builder(cluster.endpoints()).timeout(PATIENCE).build().expect("valid");
    let old = client.cluster().member_list().await.expect("listed").members;

    let added = client.cluster().member_add(["http://127.0.0.1:1"]).await.expect("added");
    assert_eq!(added.member.peer_urls, ["http://127.0.0.1:1"]);
    assert!(!added.member.is_started() && !added.member.is_learner && added.member.client_urls.is_empty());
    assert_eq!(added.members.len(), 4);
    let id = added.member.id;
    assert!(!ids(&old).contains(&id));
    // With another URL beside it: an id is made of the URLs and the second.
    let taken = ["http://127.0.0.1:1", "http://127.0.0.1:9"];
    assert_refused(client.cluster().member_add(taken).await, Code::PeerURLExist);

    let urls = ["http://127.0.0.1:2", "http://127.0.0.1:3"];
    let updated = client.cluster().member_update(id, urls).await.expect("updated");
    assert_eq!(find(&updated.members, id).peer_urls, urls);
    let taken = old[0].peer_urls.clone();
    assert_refused(client.cluster().member_update(id, taken).await, Code::PeerURLExist);
    let nobody = MemberId::new(1);
    assert_refused(client.cluster().member_update(nobody, urls).await, Code::MemberNotFound);

    let removed = client.cluster().member_remove(id).await.expect("removed");
    assert_eq!(ids(&removed.members), ids(&old));
    assert_eq!(removed.header.cluster_id, added.header.cluster_id);
    assert_refused(client.cluster().member_remove(id).await, Code::MemberNotFound);
    assert_refused(client.cluster().member_remove(nobody).await, Code::MemberNotFound);

    // One that runs, through another: its process ends.
    let gone = old.iter().find(|member| member.name == cluster.member(2).name()).expect("listed").id;
    let other = client.for_endpoint(cluster.member(0).endpoint()).expect("valid");
    let left = other.cluster().member_remove(gone).await.expect("removed");
    assert_eq!(left.members.len(), 2);
    cluster.member(2).wait_exit().await.expect("a removed member ends");
}

#[tokio::test]
async fn wrong_peer_urls_are_never_sent() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let before = client.cluster().member_list().await.expect("listed").members;
    for wrong in [
        "://127.0.0.1:2379",
        "mailto://127.0.0.1:2379",
        "http://127.0.0.1",
        "http://127.0.0.1:2379/path",
        "127.0.0.1:1234",
        "localhost:1234",
    ] {
        for error in [
            client.cluster().member_add([wrong]).await.expect_err(wrong),
            client.cluster().member_add(["http://127.0.0.1:1", wrong]).learner().await.expect_err(wrong),
            client.cluster().member_update(before[0].id, [wrong]).await.expect_err(wrong),
        ] {
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("peer_urls")));
            assert_eq!((error.code(), error.outcome()), (Some(Code::MemberBadURLs), Outcome::NotApplied));
            assert!(error.attempts().is_empty() && error.operation().is_some(), "{}", error.report());
            assert!(error.message().contains(wrong), "{error}");
        }
    }
    let none = client.cluster().member_add::<String>([]).await.expect_err("no URL");
    assert_eq!(none.field(), Some("peer_urls"));
    assert_eq!(client.cluster().member_list().await.expect("listed").members, before);
}

#[tokio::test]
async fn a_learner_stays_one_and_there_is_a_limit() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let added = client.cluster().member_add(["http://127.0.0.1:1"]).learner().await.expect("added");
    assert!(added.member.is_learner);
    assert_eq!(added.members.iter().filter(|member| member.is_learner).count(), 1);
    let id = added.member.id;
    let updated = client.cluster().member_update(id, ["http://127.0.0.1:2"]).await.expect("updated");
    let learner = find(&updated.members, id);
    assert_eq!(learner.peer_urls, ["http://127.0.0.1:2"]);
    if cluster.version().line() < Line::V3_5 {
        assert!(
            !learner.is_learner,
            "a bug of old servers is gone: the documentation of MemberUpdate has it"
        );
        return;
    }
    assert!(learner.is_learner);
    // etcd's default is one learner.
    assert_refused(
        client.cluster().member_add(["http://127.0.0.1:3"]).learner().await,
        Code::TooManyLearners,
    );
    // Takes the quorum away with it, so it comes last.
    client.cluster().member_add(["http://127.0.0.1:3"]).await.expect("a voter may still be added");
}

#[tokio::test]
async fn a_learner_is_promoted_through_a_follower() {
    let (flag, value) = NO_STRICT_CHECKS;
    let builder = Cluster::builder().members(3).arg(flag, value);
    let Some(mut cluster) = builder.start_or_skip().await else { return };
    let follower = follower(&cluster).await;
    let client = client([follower]);

    let added = client.cluster().member_add(["http://127.0.0.1:1"]).learner().await.expect("added");
    assert_refused(client.cluster().member_promote(added.member.id).await, Code::MemberLearnerNotReady);
    client.cluster().member_remove(added.member.id).await.expect("removed");
    // A follower of an old version repeats a promotion that is refused until its time is up.
    if cluster.version().line() >= Line::V3_5 {
        assert_refused(client.cluster().member_promote(added.member.id).await, Code::MemberNotFound);
    }

    cluster.add_member(true).await.expect("a learner joins");
    let members = client.cluster().member_list().await.expect("listed").members;
    let learner = members.iter().find(|member| member.is_learner).expect("a learner").id;
    let mut promoted = None;
    eventually("the learner has caught up", async || {
        match client.cluster().member_promote(learner).await {
            Ok(answer) => promoted = Some(answer.members),
            Err(error) => assert_eq!(error.code(), Some(Code::MemberLearnerNotReady), "{}", error.report()),
        }
        promoted.is_some()
    })
    .await;
    let promoted = promoted.expect("promoted");
    assert!(!find(&promoted, learner).is_learner && promoted.len() == 4);
    if cluster.version().line() >= Line::V3_5 {
        assert_refused(client.cluster().member_promote(learner).await, Code::MemberNotLearner);
    }
}

/// The endpoint of a member that does not lead.
async fn follower(cluster: &Cluster) -> String {
    let client = client(cluster.endpoints());
    for endpoint in cluster.endpoints() {
        let status = client.maintenance().status(&endpoint).await.expect("a status");
        if !status.is_leader() {
            return endpoint;
        }
    }
    panic!("a cluster of three has a follower")
}

#[tokio::test]
async fn strict_checks_protect_the_quorum() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client([cluster.member(0).endpoint()]);
    let members = client.cluster().member_list().await.expect("listed").members;
    cluster.member(2).kill().expect("killed");
    cluster.member(2).wait_exit().await.expect("ended");
    eventually("the others have a leader", async || client.put("k", "v").timeout(SHORT).await.is_ok()).await;
    assert_refused(client.cluster().member_add(["http://127.0.0.1:1"]).await, Code::Unhealthy);
    assert_refused(client.cluster().member_add(["http://127.0.0.1:1"]).learner().await, Code::Unhealthy);
    let alive = members.iter().find(|member| member.name == cluster.member(1).name()).expect("listed");
    assert_refused(client.cluster().member_remove(alive.id).await, Code::Unhealthy);
    let dead = members.iter().find(|member| member.name == cluster.member(2).name()).expect("listed");
    let left = client.cluster().member_remove(dead.id).await.expect("what is down costs no quorum");
    assert_eq!(left.members.len(), 2);
}

#[tokio::test]
async fn the_only_member_stays() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let members = client.cluster().member_list().await.expect("listed").members;
    assert_refused(client.cluster().member_remove(members[0].id).await, Code::MemberNotEnoughStarted);
}

#[tokio::test]
async fn without_a_quorum_only_a_serializable_list_is_answered() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client([cluster.member(0).endpoint()]);
    let listed = client.cluster().member_list().await.expect("listed").members;
    cluster.member(1).kill().expect("killed");
    cluster.member(2).kill().expect("killed");
    eventually("a linearizable get finds no quorum", async || client.get("k").timeout(SHORT).await.is_err())
        .await;
    let serializable = client.cluster().member_list().serializable().timeout(PATIENCE).await.expect("listed");
    assert_eq!(serializable.members, listed);
    let linearizable = client.cluster().member_list().timeout(SHORT).await;
    if cluster.version().line() < Line::V3_5 {
        assert_eq!(linearizable.expect("old servers answer from what they know").members, listed);
    } else {
        let error = linearizable.expect_err("no quorum");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotApplied), "{error}");
    }
}
