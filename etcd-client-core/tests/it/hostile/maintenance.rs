//! Members, alarms and statuses that cannot be, and a promotion that may have been forwarded.

use etcd_client_core::{Code, Error, ErrorKind, Outcome, maintenance::AlarmType, types::MemberId};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Call, in_turn, reply};
use prost::Message;
use tokio::time::timeout;

use super::rig::{Rig, header};
use crate::servers::PATIENCE;

const ADD: &str = "/etcdserverpb.Cluster/MemberAdd";
const DEFRAGMENT: &str = "/etcdserverpb.Maintenance/Defragment";
const PROMOTE: &str = "/etcdserverpb.Cluster/MemberPromote";

fn alarm(member_id: u64, alarm: i32) -> pb::AlarmMember {
    pb::AlarmMember { member_id, alarm }
}

fn assert_protocol<T: std::fmt::Debug>(rig: &Rig, answer: Result<T, Error>, outcome: Outcome) {
    let error = answer.expect_err("hostile");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, outcome), "{}", error.report());
    rig.assert_named(&error);
}

fn play(rig: &Rig, message: &impl Message) {
    rig.server.play(in_turn([reply::message(message.encode_to_vec())]));
}

#[tokio::test]
async fn impossible_members_are_rejected() {
    let rig = Rig::start().await;
    let client = rig.client();
    let member = |id| pb::Member { id, ..Default::default() };
    for members in [vec![], vec![member(0)], vec![member(7), member(7)]] {
        play(&rig, &pb::MemberListResponse { header: header(), members: members.clone() });
        assert_protocol(&rig, client.cluster().member_list().await, Outcome::NotApplied);
        play(&rig, &pb::MemberUpdateResponse { header: header(), members: members.clone() });
        let update = client.cluster().member_update(MemberId::new(7), ["http://a:1"]);
        assert_protocol(&rig, update.await, Outcome::Unknown);
        play(&rig, &pb::MemberAddResponse { header: header(), member: Some(member(7)), members });
        assert_protocol(&rig, client.cluster().member_add(["http://a:1"]).learner().await, Outcome::Unknown);
    }
    play(&rig, &pb::MemberListResponse { header: None, members: vec![member(7)] });
    let error = client.cluster().member_list().await.expect_err("a list of proxies");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unsupported, Outcome::NotApplied));
    let odd = pb::Member { client_ur_ls: vec!["\u{1b}[2J".into(); 5000], ..member(7) };
    play(&rig, &pb::MemberListResponse { header: header(), members: vec![odd] });
    let listed = client.cluster().member_list().await.expect("strange, but possible");
    assert_eq!(listed.members[0].client_urls.len(), 5000);
    assert!(!format!("{listed:?}").contains('\u{1b}'));
}

#[tokio::test]
async fn promotion_without_a_leader_has_unknown_outcome() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::status(14, "etcdserver: no leader"));
    let client = rig.client();
    let error = client.cluster().member_promote(MemberId::new(7)).await.expect_err("no leader");
    assert_eq!((error.code(), error.outcome()), (Some(Code::NoLeader), Outcome::Unknown));
    assert_eq!(rig.server.received(PROMOTE), 1);
    let error = client.cluster().member_add(["http://a:1"]).await.expect_err("no leader");
    assert_eq!((error.code(), error.outcome()), (Some(Code::NoLeader), Outcome::NotApplied));
    assert_eq!(rig.server.received(ADD), 1);
}

#[tokio::test]
async fn impossible_alarms_are_rejected() {
    let rig = Rig::start().await;
    let client = rig.client();
    play(&rig, &pb::AlarmResponse { header: header(), alarms: vec![alarm(0, 1)] });
    assert_protocol(&rig, client.maintenance().alarm_list().await, Outcome::NotApplied);
    play(&rig, &pb::AlarmResponse { header: header(), alarms: vec![alarm(8, 1)] });
    let disarm = client.maintenance().alarm_disarm(MemberId::new(7), AlarmType::NoSpace);
    assert_protocol(&rig, disarm.await, Outcome::Unknown);
}

/// The request says which alarm it is about; the one of an unknown kind is never sent.
#[tokio::test]
async fn disarm_all_reports_each_alarm() {
    let rig = Rig::start().await;
    let client = rig.client();
    let listed = vec![alarm(7, 1), alarm(7, 99), alarm(8, 2), alarm(9, 1)];
    let listed = pb::AlarmResponse { header: header(), alarms: listed }.encode_to_vec();
    let disarmed = |it| pb::AlarmResponse { header: header(), alarms: vec![it] }.encode_to_vec();
    let (first, last) = (disarmed(alarm(7, 1)), disarmed(alarm(9, 1)));
    rig.server.play(move |call: &Call| match call.number {
        1 => reply::message(listed.clone()),
        2 => reply::message(first.clone()),
        3 => reply::status(7, "etcdserver: permission denied"),
        _ => reply::message(last.clone()),
    });
    let answer = client.maintenance().alarm_disarm_all().await.expect("listed");
    let ids = |alarm: &etcd_client_core::maintenance::Alarm| alarm.member.get();
    assert_eq!(answer.disarmed.iter().map(ids).collect::<Vec<_>>(), [7, 9]);
    assert_eq!(answer.failed.iter().map(|it| ids(&it.alarm)).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(answer.failed[0].error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(answer.failed[1].error.code(), Some(Code::PermissionDenied));
    assert_eq!(rig.server.received("/etcdserverpb.Maintenance/Alarm"), 4);
    assert_eq!(answer.into_result().expect_err("the first failure").field(), Some("kind"));
}

#[tokio::test]
async fn impossible_status_is_rejected() {
    let rig = Rig::start().await;
    let client = rig.client();
    play(&rig, &pb::StatusResponse { leader: 7, ..Default::default() });
    assert_protocol(&rig, client.maintenance().status(rig.server.endpoint()).await, Outcome::NotApplied);
    let numbers = pb::StatusResponse { header: header(), db_size: i64::MIN, ..Default::default() };
    play(&rig, &numbers);
    let status = client.maintenance().status(rig.server.endpoint()).await.expect("survived");
    assert_eq!(status.db_size, 0);
    play(&rig, &pb::HashKvResponse { header: None, ..Default::default() });
    let hash = client.maintenance().hash_kv(rig.server.endpoint(), 0);
    assert_protocol(&rig, hash.await, Outcome::NotApplied);
}

#[tokio::test]
async fn closing_the_client_ends_a_call_to_one_member() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::hang());
    let client = rig.client();
    let close = async {
        rig.server.wait_until(|counts| counts.received(DEFRAGMENT) == 1).await;
        client.close().await;
    };
    let both = async { tokio::join!(client.maintenance().defragment(rig.server.endpoint()), close) };
    let (answer, ()) = timeout(PATIENCE, both).await.expect("the call ends");
    let error = answer.expect_err("closed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Closed, Outcome::Unknown), "{}", error.report());
}

#[tokio::test]
async fn missing_rpcs_are_unsupported() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::status(12, "unknown service etcdserverpb.Maintenance"));
    let client = rig.client();
    let error = client.maintenance().hash_kv(rig.server.endpoint(), 0).await.expect_err("too old");
    assert!(error.is_unsupported(), "{}", error.report());
    let error = client.cluster().member_promote(MemberId::new(7)).await.expect_err("too old");
    assert_eq!((error.is_unsupported(), error.outcome()), (true, Outcome::NotApplied), "{}", error.report());
}
