//! What the client refuses by itself has the code with which etcd refuses it.

use etcd_client_core::{Client, Code, ErrorKind, auth::Permission, error::GrpcCode};
use etcd_proto::{authpb, etcdserverpb as pb};
use etcd_testkit::Line;
use pb::auth_client::AuthClient;
use tonic::Status;

use super::unique;
use crate::servers::{client, shared};

/// The code of a refusal that was not sent.
macro_rules! here {
    ($call:expr) => {{
        let error = $call.await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        error.code().expect("a code")
    }};
}

/// The code of the same request, sent past the checks.
macro_rules! there {
    ($stub:ident.$method:ident($message:expr)) => {
        there(&$stub.$method($message).await.expect_err("refused"))
    };
}

fn there(status: &Status) -> Code {
    let grpc = GrpcCode::from_i32(status.code() as i32);
    Code::parse(grpc, status.message())
}

#[tokio::test]
async fn a_user_without_a_name() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    let user = unique("user");
    auth.user_add(&user, "pw").await.expect("added");
    let mut stub = AuthClient::new(client.channel());
    let add = pb::AuthUserAddRequest { password: "p".into(), ..Default::default() };
    assert_eq!(here!(auth.user_add("", "p")), there!(stub.user_add(add)));
    assert_eq!(here!(auth.user_get("")), there!(stub.user_get(pb::AuthUserGetRequest::default())));
    assert_eq!(here!(auth.user_delete("")), there!(stub.user_delete(pb::AuthUserDeleteRequest::default())));
    let change = pb::AuthUserChangePasswordRequest { password: "p".into(), ..Default::default() };
    assert_eq!(here!(auth.user_change_password("", "p")), there!(stub.user_change_password(change)));
    let grant =
        |user: &str, role: &str| pb::AuthUserGrantRoleRequest { user: user.into(), role: role.into() };
    assert_eq!(here!(auth.user_grant_role("", "r")), there!(stub.user_grant_role(grant("", "r"))));
    assert_eq!(here!(auth.user_grant_role(&user, "")), there!(stub.user_grant_role(grant(&user, ""))));
    let revoke =
        |name: &str, role: &str| pb::AuthUserRevokeRoleRequest { name: name.into(), role: role.into() };
    assert_eq!(here!(auth.user_revoke_role("", "r")), there!(stub.user_revoke_role(revoke("", "r"))));
    assert_eq!(here!(auth.user_revoke_role(&user, "")), there!(stub.user_revoke_role(revoke(&user, ""))));
}

#[tokio::test]
async fn a_role_without_a_name() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    let mut stub = AuthClient::new(client.channel());
    assert_eq!(here!(auth.role_add("")), there!(stub.role_add(pb::AuthRoleAddRequest::default())));
    assert_eq!(here!(auth.role_get("")), there!(stub.role_get(pb::AuthRoleGetRequest::default())));
    assert_eq!(here!(auth.role_delete("")), there!(stub.role_delete(pb::AuthRoleDeleteRequest::default())));
    let grant = grant_of("", "k");
    let here = here!(auth.role_grant_permission("", Permission::read("k")));
    assert_eq!(here, there!(stub.role_grant_permission(grant)));
    let revoke = pb::AuthRoleRevokePermissionRequest { key: "k".into(), ..Default::default() };
    assert_eq!(here!(auth.role_revoke_permission("", "k")), there!(stub.role_revoke_permission(revoke)));
}

#[tokio::test]
async fn a_permission_for_no_key() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let role = unique("role");
    client.auth().role_add(&role).await.expect("added");
    let here = here!(client.auth().role_grant_permission(&role, Permission::read("")));
    let answer = AuthClient::new(client.channel()).role_grant_permission(grant_of(&role, "")).await;
    match answer {
        Err(status) => assert_eq!(here, there(&status)),
        Ok(_) => taken_back(&client, cluster.version().line(), &role).await,
    }
}

/// Lines before 3.5 grant it: what is there can be seen and revoked.
async fn taken_back(client: &Client, line: Line, role: &str) {
    assert!(line < Line::V3_5, "{line:?}");
    assert_eq!(client.auth().role_get(role).await.expect("known").permissions, [Permission::read("")]);
    client.auth().role_revoke_permission(role, "").await.expect("revoked");
    assert_eq!(client.auth().role_get(role).await.expect("known").permissions, []);
}

fn grant_of(role: &str, key: &'static str) -> pb::AuthRoleGrantPermissionRequest {
    let perm = authpb::Permission { key: key.into(), ..Default::default() };
    pb::AuthRoleGrantPermissionRequest { name: role.into(), perm: Some(perm) }
}
