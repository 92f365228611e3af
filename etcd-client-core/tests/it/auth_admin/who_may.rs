//! Who may administer what.

use etcd_client_core::auth::Permission;
use etcd_testkit::Line;

use super::{assert_refused, guarded, unique};

#[tokio::test]
async fn operations_without_a_user_are_denied() {
    let Some(guarded) = guarded().await else { return };
    let nobody = guarded.nobody();
    assert_refused!(nobody.get("k"), UserEmpty);
    assert_refused!(nobody.put("k", "v"), UserEmpty);
    assert_refused!(nobody.delete("k"), UserEmpty);
    assert_refused!(nobody.auth().user_add("alice", "pw"), UserEmpty);
    assert_refused!(nobody.auth().user_list(), UserEmpty);
    assert_refused!(nobody.auth().user_get("root"), UserEmpty);
    assert_refused!(nobody.auth().role_list(), UserEmpty);
    assert_refused!(nobody.auth().role_get("root"), UserEmpty);
    if guarded.line() >= Line::V3_7 {
        assert!(nobody.auth().status().await.expect("everybody may, since 3.7").enabled);
    }
}

#[tokio::test]
async fn user_may_read_only_itself_and_its_roles() {
    let Some(guarded) = guarded().await else { return };
    let permission = Permission::read_write("foo");
    let user = guarded.user([permission.clone()]).await;
    let auth = user.client.auth();
    assert_eq!(auth.user_get(&user.name).await.expect("itself").roles, [&*user.role]);
    assert_eq!(auth.role_get(&user.role).await.expect("its role").permissions, [permission]);
    assert_refused!(auth.user_get("root"), PermissionDenied);
    assert_refused!(auth.role_get("root"), PermissionDenied);
    assert_refused!(auth.user_list(), PermissionDenied);
    assert_refused!(auth.role_list(), PermissionDenied);
    assert_refused!(auth.role_add(unique("role")), PermissionDenied);
    assert_refused!(auth.user_add(unique("user"), "pw"), PermissionDenied);
    assert_refused!(auth.user_change_password(&user.name, "other"), PermissionDenied);
    assert_refused!(auth.user_grant_role(&user.name, "root"), PermissionDenied);
    assert_refused!(auth.role_grant_permission(&user.role, Permission::read("bar")), PermissionDenied);
}

#[tokio::test]
async fn root_may_read_every_user_and_role() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([]).await;
    let auth = guarded.root.auth();
    assert_eq!(auth.user_get("root").await.expect("root").roles, ["root"]);
    assert_eq!(auth.user_get(&user.name).await.expect("another").roles, [&*user.role]);
    auth.role_get("root").await.expect("root");
    assert!(auth.role_list().await.expect("listed").roles.contains(&user.role));
    assert!(auth.user_list().await.expect("listed").users.contains(&user.name));
}

#[tokio::test]
async fn root_cannot_lock_itself_out() {
    let Some(guarded) = guarded().await else { return };
    let auth = guarded.root.auth();
    assert_refused!(auth.user_delete("root"), InvalidAuthMgmt);
    assert_refused!(auth.user_revoke_role("root", "root"), InvalidAuthMgmt);
    assert_refused!(auth.role_delete("root"), InvalidAuthMgmt);
    assert_eq!(auth.user_get("root").await.expect("as before").roles, ["root"]);
}
