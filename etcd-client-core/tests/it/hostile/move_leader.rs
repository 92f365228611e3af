//! A leadership that changes while it is being moved.

use etcd_client_core::{Code, Error, ErrorKind, Outcome, maintenance::MoveLeaderResponse, types::MemberId};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Call, reply};
use prost::Message as _;

use super::rig::Rig;

const STATUS: &str = "/etcdserverpb.Maintenance/Status";
const MOVE_LEADER: &str = "/etcdserverpb.Maintenance/MoveLeader";

/// What the member with id 2 says.
fn status(leader: u64) -> Answer {
    let header = Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 3, raft_term: 4 });
    let status = pb::StatusResponse { header, leader, raft_term: 4, ..Default::default() };
    reply::message(status.encode_to_vec())
}

fn not_leader() -> Answer {
    reply::status(9, "etcdserver: not leader")
}

fn moved() -> Answer {
    reply::message(pb::MoveLeaderResponse::default().encode_to_vec())
}

/// Member 2 leads where `leads` says so of the call's number; `answers` are for the requests in turn.
async fn move_leader(
    rig: &Rig,
    leads: fn(usize) -> u64,
    answers: [fn() -> Answer; 2],
) -> Result<MoveLeaderResponse, Error> {
    rig.server.play(move |call: &Call| match call.path.as_str() {
        STATUS => status(leads(call.number)),
        _ => answers[(call.number - 1).min(1)](),
    });
    rig.client().maintenance().move_leader(MemberId::new(7)).await
}

#[tokio::test]
async fn one_change_of_leadership_is_followed() {
    let rig = Rig::start().await;
    // Nobody leads at first, and after the change for a while.
    let leads = |number| if number == 1 || number == 3 { 0 } else { 2 };
    move_leader(&rig, leads, [not_leader, moved]).await.expect("moved");
    assert_eq!((rig.server.received(STATUS), rig.server.received(MOVE_LEADER)), (4, 2));
}

#[tokio::test]
async fn second_change_of_leadership_is_returned() {
    let rig = Rig::start().await;
    let error = move_leader(&rig, |_| 2, [not_leader, not_leader]).await.expect_err("it moves and moves");
    assert_eq!((error.code(), error.outcome()), (Some(Code::NotLeader), Outcome::NotApplied));
    assert_eq!((rig.server.received(STATUS), rig.server.received(MOVE_LEADER)), (2, 2));
    rig.assert_named(&error);
}

#[tokio::test]
async fn lost_response_is_unknown_and_not_retried() {
    let rig = Rig::start().await;
    let error = move_leader(&rig, |_| 2, [reply::close, moved]).await.expect_err("lost");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::Unknown));
    assert_eq!(rig.server.received(MOVE_LEADER), 1);
}

#[tokio::test]
async fn without_a_leader_nothing_is_sent() {
    let rig = Rig::start().await;
    let error = move_leader(&rig, |_| 0, [moved, moved]).await.expect_err("nobody leads");
    assert_eq!((error.code(), error.outcome()), (Some(Code::NoLeader), Outcome::NotApplied));
    let error = move_leader(&rig, |_| 9, [moved, moved]).await.expect_err("it is elsewhere");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, None));
    assert!(error.message().contains("member 9"), "{error}");
    assert_eq!(rig.server.received(MOVE_LEADER), 0);
}

#[tokio::test]
async fn rejected_status_is_returned_immediately() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::status(7, "etcdserver: permission denied"));
    let error = rig.client().maintenance().move_leader(MemberId::new(7)).await.expect_err("denied");
    assert!(error.is_permission_denied(), "{}", error.report());
    assert_eq!((error.operation(), rig.server.received(STATUS)), (Some("move leader"), 1));
}
