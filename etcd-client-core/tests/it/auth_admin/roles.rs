//! Roles and their permissions, with auth off.

use etcd_client_core::{
    Client, Code,
    auth::{Access, Permission, RoleRevokePermission},
    types::KeyRange,
};
use etcd_testkit::Line;

use super::{assert_refused, unique};
use crate::servers::{client, shared};

async fn role(client: &Client) -> String {
    let role = unique("role");
    client.auth().role_add(&role).await.expect("added");
    role
}

async fn permissions(client: &Client, role: &str) -> Vec<Permission> {
    client.auth().role_get(role).await.expect("known").permissions
}

#[tokio::test]
async fn a_role_is_added_once_listed_and_deleted() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    let role = role(&client).await;
    assert_refused!(auth.role_add(&role), RoleAlreadyExist);
    assert!(auth.role_list().await.expect("listed").roles.contains(&role));
    auth.role_delete(&role).await.expect("deleted");
    assert!(!auth.role_list().await.expect("listed").roles.contains(&role));
    assert_refused!(auth.role_delete(&role), RoleNotFound);
    assert_refused!(auth.role_get(&role), RoleNotFound);
    assert_refused!(auth.role_grant_permission(&role, Permission::read("k")), RoleNotFound);
    assert_refused!(auth.role_revoke_permission(&role, "k"), RoleNotFound);
}

#[tokio::test]
async fn a_deleted_role_is_taken_from_its_users() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (user, gone, kept) = (unique("user"), role(&client).await, role(&client).await);
    client.auth().user_add(&user, "pw").await.expect("added");
    for role in [&gone, &kept] {
        client.auth().user_grant_role(&user, role).await.expect("granted");
    }
    client.auth().role_delete(&gone).await.expect("deleted");
    assert_eq!(client.auth().user_get(&user).await.expect("known").roles, [kept]);
}

#[tokio::test]
async fn every_form_of_a_range_is_granted_shown_and_revoked() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let role = role(&client).await;
    let granted = [
        Permission::read_write("").all_keys(),
        Permission::read("a"),
        Permission::write("b").prefix(),
        Permission::read_write("c").range_end("f"),
        Permission::read("d").from_key(),
    ];
    for permission in granted.iter().rev() {
        client.auth().role_grant_permission(&role, permission.clone()).await.expect("granted");
    }
    assert_eq!(permissions(&client, &role).await, granted);
    assert_refused!(client.auth().role_revoke_permission(&role, "b"), PermissionNotGranted);
    client.auth().role_revoke_permission(&role, "b").prefix().await.expect("revoked");
    client.auth().role_revoke_permission(&role, "d").from_key().await.expect("revoked");
    client.auth().role_revoke_permission(&role, "").all_keys().await.expect("revoked");
    let left = permissions(&client, &role).await;
    assert_eq!(left, [granted[1].clone(), granted[3].clone()]);
    for permission in left {
        let revoke = RoleRevokePermission::from_range(&role, permission.range);
        revoke.bind(client.auth_service()).await.expect("as it was answered");
    }
    assert_eq!(permissions(&client, &role).await, []);
}

#[tokio::test]
async fn the_same_range_is_replaced_and_overlaps_stay() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let role = role(&client).await;
    for permission in
        [Permission::read("bar"), Permission::write("bar"), Permission::read_write("bar").range_end("foo")]
    {
        client.auth().role_grant_permission(&role, permission).await.expect("granted");
    }
    let both = [Permission::write("bar"), Permission::read_write("bar").range_end("foo")];
    let mut found = permissions(&client, &role).await;
    found.sort_by_key(|permission| permission.range.is_range());
    assert_eq!(found, both);
    assert_refused!(client.auth().role_revoke_permission(&role, "foo"), PermissionNotGranted);
    client.auth().role_revoke_permission(&role, "bar").range_end("foo").await.expect("revoked");
    assert_eq!(permissions(&client, &role).await, both[..1]);
}

/// Lines before 3.6 answer what it was granted, though it has all keys there too.
#[tokio::test]
async fn the_root_role_has_all_keys_whatever_it_is_granted() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    if let Err(error) = client.auth().role_add("root").await {
        assert_eq!(error.code(), Some(Code::RoleAlreadyExist), "{error}");
    }
    let granted = Permission::read_write("foo");
    client.auth().role_grant_permission("root", granted.clone()).await.expect("accepted");
    if cluster.version().line() < Line::V3_6 {
        assert_eq!(permissions(&client, "root").await, [granted]);
        return;
    }
    let all = Permission::new(Access::ReadWrite, KeyRange::from_bounds("".into(), "\0".into()));
    assert_eq!(permissions(&client, "root").await, [all]);
}

/// Lines before 3.5 take such a range, which allows nothing.
#[tokio::test]
async fn inverted_range_is_left_to_the_server() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let role = role(&client).await;
    let backwards = Permission::read("b").range_end("a");
    match client.auth().role_grant_permission(&role, backwards.clone()).await {
        Ok(_) => {
            assert!(cluster.version().line() < Line::V3_5);
            assert_eq!(permissions(&client, &role).await, [backwards]);
        }
        Err(error) => {
            super::assert_code(&error, Code::InvalidAuthMgmt);
            assert_eq!(permissions(&client, &role).await, []);
        }
    }
}

#[tokio::test]
async fn etcdctl_and_this_client_see_each_others_grants() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let role = role(&client).await;
    let auth = client.auth();
    auth.role_grant_permission(&role, Permission::read("ours/").prefix()).await.expect("granted");
    let shown = cluster.etcdctl(["role", "get", &role]).await.expect("etcdctl role get");
    assert!(shown.contains("[ours/, ours0) (prefix ours/)"), "{shown}");
    let revoke = ["role", "revoke-permission", &role, "ours/", "--prefix"];
    cluster.etcdctl(revoke).await.expect("etcdctl finds it");
    for (args, ours) in [
        (["theirs/", "--prefix"].as_slice(), Permission::write("theirs/").prefix()),
        (["from", "--from-key"].as_slice(), Permission::write("from").from_key()),
        (["", "--prefix"].as_slice(), Permission::write("").prefix()),
        (["one"].as_slice(), Permission::write("one")),
    ] {
        let grant = ["role", "grant-permission", &role, "write"];
        cluster.etcdctl(grant.iter().chain(args)).await.expect("etcdctl grants");
        assert_eq!(permissions(&client, &role).await, std::slice::from_ref(&ours));
        let revoke = RoleRevokePermission::from_range(&role, ours.range);
        revoke.bind(client.auth_service()).await.expect("revoked");
    }
}
