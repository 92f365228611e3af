//! Users, with auth off.

use etcd_client_core::error::GrpcCode;

use super::{assert_refused, unique};
use crate::servers::{client, shared};

#[tokio::test]
async fn a_user_has_the_roles_it_was_granted() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    let (user, first, second) = (unique("user"), unique("role-a"), unique("role-b"));
    auth.user_add(&user, "pw").await.expect("added");
    assert!(auth.user_get(&user).await.expect("known").roles.is_empty());
    for role in [&second, &first] {
        auth.role_add(role).await.expect("added");
        auth.user_grant_role(&user, role).await.expect("granted");
    }
    auth.user_grant_role(&user, &first).await.expect("once more is no error");
    assert_eq!(auth.user_get(&user).await.expect("known").roles, [first.clone(), second.clone()]);
    auth.user_revoke_role(&user, &first).await.expect("revoked");
    assert_eq!(auth.user_get(&user).await.expect("known").roles, [second]);
    assert_refused!(auth.user_revoke_role(&user, &first), RoleNotGranted);
    assert_refused!(auth.user_revoke_role(unique("user"), &first), UserNotFound);
}

#[tokio::test]
async fn a_second_user_of_the_name_is_rejected() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let user = unique("user");
    client.auth().user_add(&user, "pw").await.expect("added");
    assert_refused!(client.auth().user_add(&user, "other"), UserAlreadyExist);
    assert_refused!(client.auth().user_add_no_password(&user), UserAlreadyExist);
}

#[tokio::test]
async fn a_deleted_user_is_gone() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    let user = unique("user");
    auth.user_add(&user, "pw").await.expect("added");
    assert!(auth.user_list().await.expect("listed").users.contains(&user));
    auth.user_delete(&user).await.expect("deleted");
    assert!(!auth.user_list().await.expect("listed").users.contains(&user));
    assert_refused!(auth.user_delete(&user), UserNotFound);
    assert_refused!(auth.user_get(&user), UserNotFound);
    assert_refused!(auth.user_change_password(&user, "pw"), UserNotFound);
    assert_refused!(auth.user_grant_role(&user, "root"), UserNotFound);
}

#[tokio::test]
async fn a_user_may_have_no_password_or_an_empty_one() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let auth = client.auth();
    let (none, empty) = (unique("user"), unique("user"));
    auth.user_add_no_password(&none).await.expect("added");
    auth.user_add(&empty, "").await.expect("added");
    auth.user_change_password(&none, "pw").await.expect("has no effect, and is no error");
    auth.user_change_password(&empty, "pw").await.expect("changed");
}

/// bcrypt reads 72 bytes. What a server makes of more depends on its line; whoever is refused has no user.
#[tokio::test]
async fn password_beyond_72_bytes_is_left_to_the_server() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    client.auth().user_add(unique("user"), "x".repeat(72)).await.expect("the longest there is");
    let user = unique("user");
    let added = client.auth().user_add(&user, "x".repeat(73)).await;
    let known = client.auth().user_get(&user).await;
    match added {
        Ok(_) => assert!(known.is_ok(), "{known:?}"),
        Err(error) => {
            assert_eq!(error.grpc_code(), Some(GrpcCode::Unknown), "{}", error.report());
            assert!(error.message().contains("72 bytes") && known.is_err(), "{error}");
        }
    }
}

#[tokio::test]
async fn an_unknown_role_is_not_granted_but_root_is() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let user = unique("user");
    client.auth().user_add(&user, "pw").await.expect("added");
    assert_refused!(client.auth().user_grant_role(&user, unique("role")), RoleNotFound);
    client.auth().user_grant_role(&user, "root").await.expect("root is always there");
    assert_eq!(client.auth().user_get(&user).await.expect("known").roles, ["root"]);
    client.auth().user_delete(&user).await.expect("deleted");
}
