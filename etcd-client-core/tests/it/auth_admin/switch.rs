//! Turning auth on and off, on members that nobody else uses.

use etcd_client_core::{Client, Code, ErrorKind, Outcome, auth::Permission};
use etcd_proto::etcdserverpb::{AuthenticateRequest, auth_client::AuthClient};
use etcd_testkit::{Cluster, Line};
use tonic::Status;

use super::{ROOT_PASSWORD, as_user, assert_refused, guarded, unique};
use crate::servers::client;

async fn own() -> Option<Cluster> {
    Cluster::builder().arg("--bcrypt-cost", "4").start_or_skip().await
}

/// What the server says of a login.
async fn login(client: &Client, user: &str, password: &str) -> Result<(), Status> {
    let request = AuthenticateRequest { name: user.to_owned(), password: password.to_owned() };
    AuthClient::new(client.channel()).authenticate(request).await.map(drop)
}

#[tokio::test]
async fn auth_needs_root_and_is_turned_on_and_off() {
    let Some(cluster) = own().await else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    assert!(auth.user_list().await.expect("listed").users.is_empty());
    assert_refused!(auth.enable(), RootUserNotExist);
    auth.user_add("root", ROOT_PASSWORD).await.expect("added");
    assert_refused!(auth.enable(), RootRoleNotExist);
    auth.user_grant_role("root", "root").await.expect("granted");
    auth.user_add("alice", "pw").await.expect("added");
    assert_eq!(auth.user_list().await.expect("listed").users, ["alice", "root"]);
    as_user(&cluster, "alice", "pw").put("k", "v").await.expect("a password does no harm");
    let not_on = login(&client, "alice", "pw").await.expect_err("auth is off");
    assert_eq!(not_on.message(), "etcdserver: authentication is not enabled");
    auth.enable().await.expect("enabled");

    let alice = as_user(&cluster, "alice", "pw");
    let root = as_user(&cluster, "root", ROOT_PASSWORD);
    root.auth().enable().await.expect("once more is no error");
    assert_refused!(client.put("k", "v"), UserEmpty);
    assert_refused!(client.auth().disable(), UserEmpty);
    assert_refused!(alice.put("k", "v"), PermissionDenied);
    assert_refused!(alice.auth().disable(), PermissionDenied);
    root.auth().disable().await.expect("disabled");
    alice.put("k", "v").await.expect("a token does no harm");
    client.put("k", "v").await.expect("anybody may");
    client.auth().disable().await.expect("once more is no error");
    assert_eq!(client.auth().user_list().await.expect("they stay").users, ["alice", "root"]);
}

#[tokio::test]
async fn auth_status_reports_the_switch_and_counts_changes() {
    let Some(cluster) = own().await else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    if cluster.version().line() < Line::V3_5 {
        let error = auth.status().await.expect_err("not before 3.5");
        assert!(error.is_unsupported(), "{}", error.report());
        assert_eq!(error.outcome(), Outcome::NotApplied);
        return;
    }
    let before = auth.status().await.expect("status");
    assert!(!before.enabled);
    auth.user_add("root", ROOT_PASSWORD).await.expect("added");
    auth.user_grant_role("root", "root").await.expect("granted");
    let changed = auth.status().await.expect("status");
    assert_eq!(changed.auth_revision.get(), before.auth_revision.get() + 2);
    auth.enable().await.expect("enabled");
    let root = as_user(&cluster, "root", ROOT_PASSWORD);
    let on = root.auth().status().await.expect("status");
    assert!(on.enabled && on.auth_revision >= changed.auth_revision, "{on:?}");
    assert_eq!(on.header.cluster_id, before.header.cluster_id);
}

#[tokio::test]
async fn the_auth_revision_outlives_a_restart() {
    let Some(cluster) = own().await else { return };
    if cluster.version().line() < Line::V3_5 {
        return;
    }
    let client = client(cluster.endpoints());
    client.auth().role_add("r").await.expect("added");
    let before = client.auth().status().await.expect("status").auth_revision;
    cluster.member(0).stop().await.expect("stopped");
    cluster.member(0).restart().await.expect("restarted");
    let after = client.auth().status().await.expect("status").auth_revision;
    assert_eq!(after, before);
    assert_eq!(client.auth().role_list().await.expect("listed").roles, ["r"]);
}

/// The member has forgotten its simple tokens.
#[tokio::test]
async fn a_logged_in_client_outlives_a_restart() {
    let builder = Cluster::builder().arg("--bcrypt-cost", "4").auth(ROOT_PASSWORD);
    let Some(cluster) = builder.start_or_skip().await else { return };
    let root = as_user(&cluster, "root", ROOT_PASSWORD);
    root.auth().user_add("alice", "pw").await.expect("added");
    root.auth().role_add("r").await.expect("added");
    root.auth().role_grant_permission("r", Permission::read_write("k")).await.expect("granted");
    root.auth().user_grant_role("alice", "r").await.expect("granted");
    let alice = as_user(&cluster, "alice", "pw");
    alice.put("k", "v").await.expect("granted");
    cluster.member(0).stop().await.expect("stopped");
    cluster.member(0).restart().await.expect("restarted");
    assert_eq!(alice.get("k").await.expect("granted").kvs[0].value, "v");
    alice.put("k", "w").await.expect("granted");
    assert_refused!(alice.put("other", "v"), PermissionDenied);
}

#[tokio::test]
async fn auth_leaves_the_revision_of_the_store_alone() {
    let Some(cluster) = own().await else { return };
    let client = client(cluster.endpoints());
    let put = client.put("foo", "bar").await.expect("put").header.revision;
    let added = client.auth().user_add("root", "123").await.expect("added").header.revision;
    let role = client.auth().role_add("r").await.expect("added").header.revision;
    assert_eq!((added, role), (put, put));
    assert_eq!(client.get("foo").await.expect("get").header.revision, put);
}

#[tokio::test]
async fn re_created_user_logs_in_with_the_new_password_only() {
    let Some(guarded) = guarded().await else { return };
    let (auth, nobody, user) = (guarded.root.auth(), guarded.nobody(), unique("user"));
    let failed = |status: Status| {
        let code =
            Code::parse(etcd_client_core::error::GrpcCode::from_i32(status.code() as i32), status.message());
        assert_eq!(code, Code::AuthFailed, "{status}");
    };
    auth.user_add(&user, "first").await.expect("added");
    login(&nobody, &user, "first").await.expect("logged in");
    auth.user_delete(&user).await.expect("deleted");
    failed(login(&nobody, &user, "first").await.expect_err("deleted"));
    auth.user_add(&user, "second").await.expect("added");
    failed(login(&nobody, &user, "first").await.expect_err("the old password"));
    login(&nobody, &user, "second").await.expect("logged in");
    auth.user_change_password(&user, "third").await.expect("changed");
    failed(login(&nobody, &user, "second").await.expect_err("the old password"));
    login(&nobody, &user, "third").await.expect("logged in");
}

#[tokio::test]
async fn user_without_password_cannot_log_in() {
    let Some(guarded) = guarded().await else { return };
    let (nobody, user) = (guarded.nobody(), unique("user"));
    guarded.root.auth().user_add_no_password(&user).await.expect("added");
    login(&nobody, &user, "").await.expect_err("no password");
    guarded.root.auth().user_change_password(&user, "pw").await.expect("no error");
    login(&nobody, &user, "pw").await.expect_err("still none");
}

#[tokio::test]
async fn client_side_validation_does_not_depend_on_auth() {
    let Some(guarded) = guarded().await else { return };
    let error = guarded.nobody().auth().user_add("", "pw").await.expect_err("no name");
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidRequest, Some(Code::UserEmpty)));
    assert_eq!((error.operation(), error.attempts().len()), (Some("user add"), 0));
}
