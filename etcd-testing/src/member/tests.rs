//! Tests of a member as a whole: requests go in, responses and errors come out.

use etcd_proto::authpb::Permission;
use etcd_proto::authpb::permission::Type;
use etcd_proto::etcdserverpb::alarm_request::AlarmAction;
use etcd_proto::etcdserverpb::request_op::Request;
use etcd_proto::etcdserverpb::{
    AlarmRequest, AlarmType, DeleteRangeRequest, HashKvRequest, LeaseGrantRequest, LeaseKeepAliveRequest,
    LeaseLeasesResponse, LeaseRevokeRequest, LeaseTimeToLiveRequest, PutRequest, RangeRequest, RequestOp,
    TxnRequest, WatchCreateRequest,
};

use super::*;
use crate::rejection::{
    INVALID_AUTH_TOKEN, LEASE_NOT_FOUND, NO_SPACE, PERMISSION_DENIED, REQUEST_TOO_LARGE, USER_EMPTY,
};

fn new_member(line: Line) -> Member {
    let identity = Identity {
        cluster_id: 1,
        member_id: 2,
        name: "test".to_owned(),
        line,
        client_urls: Vec::new(),
        max_txn_ops: 128,
    };
    Member::new(identity, 2, Duration::from_secs(300))
}

const ANYONE: Caller = Caller { token: None };

fn put(key: &'static str, lease: i64) -> PutRequest {
    PutRequest { key: key.into(), lease, ..Default::default() }
}

fn get(key: &'static str) -> RangeRequest {
    RangeRequest { key: key.into(), ..Default::default() }
}

/// Returns a member with authentication, its root, and a user who may read and write `mine`.
fn with_users() -> (Member, Caller, Caller) {
    let mut member = new_member(Line::V3_7);
    let auth = &mut member.auth;
    let permission =
        Permission { perm_type: Type::Readwrite as i32, key: "mine".into(), range_end: Default::default() };
    for step in [
        auth.user_add("root", "r", false),
        auth.user_grant_role("root", "root"),
        auth.user_add("u", "p", false),
        auth.role_add("own"),
        auth.role_grant("own", Some(&permission)),
        auth.user_grant_role("u", "own"),
        auth.enable(),
    ] {
        step.expect("a valid step");
    }
    let mut caller = |user, password| {
        let token = auth.authenticate(user, password, Duration::ZERO).expect("the right password");
        Caller { token: Some(token) }
    };
    let (root, user) = (caller("root", "r"), caller("u", "p"));
    (member, root, user)
}

#[test]
fn a_header_has_the_revision_of_its_response() {
    let mut member = new_member(Line::V3_7);
    member.put(&ANYONE, &put("a", 0)).expect("a put");
    let header = member.range(&ANYONE, &get("a")).expect("a get").header.expect("a header");
    assert_eq!((header.cluster_id, header.member_id, header.revision, header.raft_term), (1, 2, 2, 2));
    let header = member.member_list(&ANYONE).expect("a list").header.expect("a header");
    assert_eq!(header.revision, 0, "lists of members have no revision");
}

#[test]
fn the_keys_of_a_lease_end_with_it_at_one_revision() {
    let mut member = new_member(Line::V3_7);
    member.lease_grant(&ANYONE, &LeaseGrantRequest { id: 7, ttl: 10 }).expect("a new lease");
    for key in ["a", "b"] {
        member.put(&ANYONE, &put(key, 7)).expect("a put");
    }
    member.advance(Duration::from_secs(9));
    let left = member.lease_time_to_live(&ANYONE, &LeaseTimeToLiveRequest { id: 7, keys: true });
    let left = left.expect("an answer");
    assert_eq!((left.ttl, left.granted_ttl, left.keys.len()), (1, 10, 2));
    member.advance(Duration::from_secs(10));
    assert_eq!(member.store.revision(), 4);
    let left = member.lease_time_to_live(&ANYONE, &LeaseTimeToLiveRequest { id: 7, keys: true });
    assert_eq!(left.expect("an answer").ttl, -1);
    let renewed = member.lease_keep_alive(&ANYONE, &LeaseKeepAliveRequest { id: 7 }).expect("an answer");
    assert_eq!(renewed.ttl, 0);
    assert_eq!(member.lease_revoke(&ANYONE, &LeaseRevokeRequest { id: 7 }), Err(LEASE_NOT_FOUND));
}

#[test]
fn an_alarm_about_space_stops_puts_and_leases() {
    let mut member = new_member(Line::V3_7);
    let alarm = |action: AlarmAction| AlarmRequest {
        action: action as i32,
        member_id: 2,
        alarm: AlarmType::Nospace as i32,
    };
    assert_eq!(member.alarm(&ANYONE, &alarm(AlarmAction::Activate)).expect("raised").alarms.len(), 1);
    let txn =
        |request| TxnRequest { success: vec![RequestOp { request: Some(request) }], ..Default::default() };
    assert_eq!(member.put(&ANYONE, &put("a", 0)), Err(NO_SPACE));
    assert_eq!(member.txn(&ANYONE, &txn(Request::RequestPut(put("a", 0)))), Err(NO_SPACE));
    assert_eq!(member.lease_grant(&ANYONE, &LeaseGrantRequest { id: 7, ttl: 10 }), Err(NO_SPACE));
    let delete = DeleteRangeRequest { key: "a".into(), ..Default::default() };
    assert!(member.txn(&ANYONE, &txn(Request::RequestDeleteRange(delete))).is_ok());
    assert!(member.txn(&ANYONE, &txn(Request::RequestRange(get("a")))).is_ok());
    assert_eq!(member.status(&ANYONE).expect("a status").errors.len(), 1);
    assert_eq!(member.alarm(&ANYONE, &alarm(AlarmAction::Deactivate)).expect("disarmed").alarms.len(), 1);
    assert!(member.put(&ANYONE, &put("a", 0)).is_ok());
}

#[test]
fn a_large_request_is_rejected() {
    let mut member = new_member(Line::V3_7);
    let sized = |size: usize| PutRequest { value: vec![0; size].into(), ..put("a", 0) };
    assert!(member.put(&ANYONE, &sized(1_572_800)).is_ok());
    assert_eq!(member.put(&ANYONE, &sized(1_572_864)), Err(REQUEST_TOO_LARGE));
}

#[test]
fn a_streamed_range_has_its_header_at_the_end() {
    let mut member = new_member(Line::V3_7);
    for index in 0..100 {
        let request = PutRequest { key: format!("{index:03}").into(), ..Default::default() };
        member.put(&ANYONE, &request).expect("a put");
    }
    let request = RangeRequest { range_end: "\0".into(), limit: 80, ..get("000") };
    let chunks = member.range_stream(&ANYONE, &request).expect("chunks");
    let chunks: Vec<_> = chunks.into_iter().filter_map(|chunk| chunk.range_response).collect();
    assert_eq!(chunks.iter().map(|chunk| chunk.kvs.len()).collect::<Vec<_>>(), [10, 20, 40, 10]);
    assert_eq!(
        chunks.iter().map(|chunk| chunk.header.is_some()).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    assert_eq!((chunks[3].count, chunks[3].more), (100, true));
    let mut older = new_member(Line::V3_6);
    let status = older.range_stream(&ANYONE, &request).expect_err("a method of 3.7");
    assert_eq!(status.message(), "unknown method RangeStream for service etcdserverpb.KV");
}

#[test]
fn a_user_may_do_what_its_permissions_cover() {
    let (mut member, root, user) = with_users();
    assert!(member.put(&user, &put("mine", 0)).is_ok());
    assert_eq!(member.put(&user, &put("yours", 0)), Err(PERMISSION_DENIED));
    assert_eq!(member.put(&ANYONE, &put("mine", 0)), Err(USER_EMPTY));
    let stranger = Caller { token: Some("unknown.7".to_owned()) };
    assert_eq!(member.put(&stranger, &put("mine", 0)), Err(INVALID_AUTH_TOKEN));
    assert!(member.put(&root, &put("yours", 0)).is_ok());
    // Both branches of a transaction count.
    let failure = vec![RequestOp { request: Some(Request::RequestRange(get("yours"))) }];
    let request = TxnRequest { failure, ..Default::default() };
    assert_eq!(member.txn(&user, &request), Err(PERMISSION_DENIED));
    assert_eq!(member.hash_kv(&user, &HashKvRequest { revision: 0 }).map(drop), Err(PERMISSION_DENIED));
    assert_eq!(member.member_list(&ANYONE), Err(USER_EMPTY));
    assert_eq!(member.auth_status(&ANYONE).map(|status| status.enabled), Ok(true));
    member.identity.line = Line::V3_6;
    assert_eq!(member.auth_status(&user), Err(PERMISSION_DENIED));
}

#[test]
fn a_lease_belongs_to_who_may_write_its_keys() {
    let (mut member, root, user) = with_users();
    member.lease_grant(&user, &LeaseGrantRequest { id: 7, ttl: 10 }).expect("a new lease");
    member.put(&root, &put("yours", 7)).expect("root may do everything");
    assert_eq!(member.put(&user, &put("mine", 7)), Err(PERMISSION_DENIED));
    assert_eq!(member.lease_revoke(&user, &LeaseRevokeRequest { id: 7 }), Err(PERMISSION_DENIED));
    assert_eq!(member.lease_keep_alive(&user, &LeaseKeepAliveRequest { id: 7 }), Err(PERMISSION_DENIED));
    let left = |keys| LeaseTimeToLiveRequest { id: 7, keys };
    assert_eq!(member.lease_time_to_live(&user, &left(true)), Err(PERMISSION_DENIED));
    assert_eq!(member.lease_time_to_live(&user, &left(false)).map(|left| left.granted_ttl), Ok(10));
    assert_eq!(member.lease_leases(&user), Err(PERMISSION_DENIED));
    let all: LeaseLeasesResponse = member.lease_leases(&root).expect("root may do everything");
    assert_eq!(all.leases.len(), 1);
}

#[test]
fn a_watch_without_permission_is_rejected_on_its_stream() {
    let (mut member, _, user) = with_users();
    let stream = member.watches.open();
    for (key, caller) in [("yours", &user), ("mine", &user), ("mine", &ANYONE)] {
        member.watch(stream, caller, &WatchCreateRequest { key: key.into(), ..Default::default() });
    }
    let mut reasons = Vec::new();
    while let Some(response) = member.watches.next(stream, &member.store) {
        reasons.push((response.watch_id, response.cancel_reason));
    }
    let denied = "rpc error: code = PermissionDenied desc = etcdserver: permission denied".to_owned();
    let empty = "rpc error: code = InvalidArgument desc = etcdserver: user name is empty".to_owned();
    assert_eq!(reasons, [(-1, denied), (0, String::new()), (-1, empty)]);
}
