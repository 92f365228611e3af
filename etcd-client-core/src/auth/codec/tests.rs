//! Tests of the auth conversions: requests, responses, and responses of a hostile server.

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};
use etcd_proto::{authpb, etcdserverpb as pb};
use prost::Message as _;

use super::*;
use crate::{
    auth::{
        Access, AuthStatusResponse, Permission, RoleAdd, RoleDelete, RoleGet, RoleGrantPermission,
        RoleRevokePermission, UserAdd, UserChangePassword, UserDelete, UserGet, UserGrantRole,
        UserRevokeRole,
    },
    types::{AuthRevision, ClusterId, KeyRange, MemberId, ResponseHeader, Revision},
};

fn pb_header() -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 30, raft_term: 4 })
}

fn header() -> ResponseHeader {
    ResponseHeader::new(ClusterId::new(1), MemberId::new(2), Revision::new(30), 4)
}

fn pb_permission(perm_type: i32, key: &'static str, range_end: &'static str) -> authpb::Permission {
    authpb::Permission { perm_type, key: key.into(), range_end: range_end.into() }
}

#[test]
fn users_are_sent_as_they_are() {
    let with_password = pb::AuthUserAddRequest {
        name: "alice".into(),
        password: "secret".into(),
        options: Some(authpb::UserAddOptions { no_password: false }),
        hashed_password: String::new(),
    };
    assert_eq!(user_add_request(UserAdd::new("alice", "secret")).message(), &with_password);
    let without = pb::AuthUserAddRequest {
        name: "alice".into(),
        options: Some(authpb::UserAddOptions { no_password: true }),
        ..Default::default()
    };
    assert_eq!(user_add_request(UserAdd::no_password("alice")).message(), &without);
    let changed = pb::AuthUserChangePasswordRequest {
        name: "alice".into(),
        password: "new".into(),
        hashed_password: String::new(),
    };
    assert_eq!(user_change_password_request(UserChangePassword::new("alice", "new")).message(), &changed);
    assert_eq!(user_get_request(UserGet::new("alice")).name, "alice");
    assert_eq!(user_delete_request(UserDelete::new("alice")).name, "alice");
    let granted = pb::AuthUserGrantRoleRequest { user: "alice".into(), role: "r".into() };
    assert_eq!(user_grant_role_request(UserGrantRole::new("alice", "r")), granted);
    let revoked = pb::AuthUserRevokeRoleRequest { name: "alice".into(), role: "r".into() };
    assert_eq!(user_revoke_role_request(UserRevokeRole::new("alice", "r")), revoked);
}

#[test]
fn roles_and_permissions_are_sent_as_they_are() {
    assert_eq!(role_add_request(RoleAdd::new("r")).name, "r");
    assert_eq!(role_get_request(RoleGet::new("r")).role, "r");
    assert_eq!(role_delete_request(RoleDelete::new("r")).role, "r");
    let cases = [
        (Permission::read("a"), pb_permission(0, "a", "")),
        (Permission::write("a").prefix(), pb_permission(1, "a", "b")),
        (Permission::read_write("a").range_end("c"), pb_permission(2, "a", "c")),
        (Permission::read("a").from_key(), pb_permission(0, "a", "\0")),
        (Permission::read("").prefix(), pb_permission(0, "\0", "\0")),
        (Permission::read("").all_keys(), pb_permission(0, "\0", "\0")),
    ];
    for (permission, sent) in cases {
        let request = role_grant_permission_request(RoleGrantPermission::new("r", permission));
        assert_eq!((request.name.as_str(), request.perm), ("r", Some(sent)));
    }
    let revoke = role_revoke_permission_request(RoleRevokePermission::new("r", "a").prefix());
    assert_eq!((&revoke.key[..], &revoke.range_end[..]), (&b"a"[..], &b"b"[..]));
}

#[test]
fn a_number_without_a_name_survives_and_is_never_sent() {
    for number in [3, -1, i32::MAX, i32::MIN] {
        let perm = vec![pb_permission(number, "a", "")];
        let response =
            role_get_response(pb::AuthRoleGetResponse { header: pb_header(), perm }).expect("read");
        let permission = response.permissions[0].clone();
        assert_eq!(permission.access, Access::Unknown(number));
        let request = role_grant_permission_request(RoleGrantPermission::new("r", permission));
        assert_eq!(request.perm, None);
    }
    for access in [0, 1, 2].map(Access::Unknown) {
        let permission = Permission::new(access, KeyRange::one("a"));
        assert_eq!(role_grant_permission_request(RoleGrantPermission::new("r", permission)).perm, None);
    }
}

#[test]
fn granted_permission_is_revocable_byte_for_byte() {
    for (key, range_end) in [("", "\0"), ("", ""), ("b", "a"), ("a", "\0"), ("\0", "\0"), ("a", "a")] {
        let perm = vec![pb_permission(2, key, range_end)];
        let response =
            role_get_response(pb::AuthRoleGetResponse { header: pb_header(), perm }).expect("read");
        let range = response.permissions[0].range.clone();
        let request = role_revoke_permission_request(RoleRevokePermission::from_range("r", range));
        assert_eq!((request.key, request.range_end), (Bytes::from(key), Bytes::from(range_end)));
    }
}

#[test]
fn answers_are_read() {
    let users = pb::AuthUserListResponse { header: pb_header(), users: vec!["a".into(), "b".into()] };
    let users = user_list_response(users).expect("read");
    assert_eq!((users.header, users.users), (header(), vec!["a".to_owned(), "b".to_owned()]));
    let roles = pb::AuthUserGetResponse { header: pb_header(), roles: vec!["r".into()] };
    assert_eq!(user_get_response(roles).expect("read").roles, ["r"]);
    let roles = pb::AuthRoleListResponse { header: pb_header(), roles: vec!["r".into()] };
    assert_eq!(role_list_response(roles).expect("read").roles, ["r"]);
    let perm = vec![pb_permission(1, "a", "b"), pb_permission(2, "", "\0")];
    let role = role_get_response(pb::AuthRoleGetResponse { header: pb_header(), perm }).expect("read");
    assert_eq!(role.permissions[0], Permission::write("a").prefix());
    assert_eq!(role.permissions[1].access, Access::ReadWrite);
    let status = pb::AuthStatusResponse { header: pb_header(), enabled: true, auth_revision: u64::MAX };
    let expected = AuthStatusResponse::new(header(), true, AuthRevision::new(u64::MAX));
    assert_eq!(auth_status_response(status).expect("read"), expected);
    let done = user_add_response(pb::AuthUserAddResponse { header: pb_header() }).expect("read");
    assert_eq!(done.header, header());
}

#[test]
fn response_without_a_header_is_an_error() {
    fn outcome<T: std::fmt::Debug>(answer: Result<T, Error>) -> Outcome {
        let error = answer.expect_err("hostile");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        error.outcome()
    }
    let writes = [
        outcome(auth_enable_response(pb::AuthEnableResponse::default())),
        outcome(auth_disable_response(pb::AuthDisableResponse::default())),
        outcome(user_add_response(pb::AuthUserAddResponse::default())),
        outcome(user_delete_response(pb::AuthUserDeleteResponse::default())),
        outcome(user_change_password_response(pb::AuthUserChangePasswordResponse::default())),
        outcome(user_grant_role_response(pb::AuthUserGrantRoleResponse::default())),
        outcome(user_revoke_role_response(pb::AuthUserRevokeRoleResponse::default())),
        outcome(role_add_response(pb::AuthRoleAddResponse::default())),
        outcome(role_delete_response(pb::AuthRoleDeleteResponse::default())),
        outcome(role_grant_permission_response(pb::AuthRoleGrantPermissionResponse::default())),
        outcome(role_revoke_permission_response(pb::AuthRoleRevokePermissionResponse::default())),
    ];
    assert!(writes.iter().all(|outcome| *outcome == Outcome::Unknown), "{writes:?}");
    let reads = [
        outcome(auth_status_response(pb::AuthStatusResponse::default())),
        outcome(user_get_response(pb::AuthUserGetResponse::default())),
        outcome(user_list_response(pb::AuthUserListResponse::default())),
        outcome(role_get_response(pb::AuthRoleGetResponse::default())),
        outcome(role_list_response(pb::AuthRoleListResponse::default())),
    ];
    assert!(reads.iter().all(|outcome| *outcome == Outcome::NotApplied), "{reads:?}");
}

#[test]
fn no_debug_of_a_message_shows_a_password() {
    const CANARY: &str = "hunter2-canary";
    let add = user_add_request(UserAdd::new("alice", CANARY));
    let change = user_change_password_request(UserChangePassword::new("alice", CANARY));
    let shown = format!("{add:?} {add:#?} {change:?} {change:#?}");
    assert!(!shown.contains("canary"), "{shown}");
    let sent = String::from_utf8_lossy(&add.message().encode_to_vec()).into_owned();
    assert!(sent.contains(CANARY), "it is sent all the same");
}
