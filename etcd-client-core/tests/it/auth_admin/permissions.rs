//! What permissions do to gets, puts, deletes, transactions and compactions.

use etcd_client_core::{Client, Compare, Delete, Get, Put, Txn, auth::Permission};
use etcd_testkit::Line;

use super::{assert_refused, guarded, unique};

async fn value(client: &Client, key: &str) -> Option<String> {
    let found = client.get(key).await.expect("may be read").into_first()?;
    Some(found.value_str().expect("text").to_owned())
}

#[tokio::test]
async fn a_grant_and_a_revocation_hold_at_once() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("foo")]).await;
    let auth = guarded.root.auth();
    user.client.put("foo", "bar").await.expect("its own key");
    assert_refused!(user.client.put("hoo", "bar"), PermissionDenied);
    auth.role_grant_permission(&user.role, Permission::read_write("hoo")).await.expect("granted");
    user.client.put("hoo", "bar").await.expect("granted");
    assert_eq!(value(&user.client, "hoo").await.as_deref(), Some("bar"));
    auth.role_revoke_permission(&user.role, "hoo").await.expect("revoked");
    assert_refused!(user.client.put("hoo", "baz"), PermissionDenied);
    assert_refused!(user.client.get("hoo"), PermissionDenied);
    assert_eq!(value(&user.client, "foo").await.as_deref(), Some("bar"));
    assert_eq!(value(&guarded.root, "hoo").await.as_deref(), Some("bar"));
}

#[tokio::test]
async fn remaining_roles_keep_their_permissions() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("foo")]).await;
    let (auth, second) = (guarded.root.auth(), unique("role"));
    auth.role_add(&second).await.expect("added");
    auth.role_grant_permission(&second, Permission::read_write("hoo")).await.expect("granted");
    auth.user_grant_role(&user.name, &second).await.expect("granted");
    user.client.put("foo", "bar").await.expect("by the first role");
    user.client.put("hoo", "bar").await.expect("by the second role");
    auth.user_revoke_role(&user.name, &user.role).await.expect("revoked");
    assert_refused!(user.client.put("foo", "baz"), PermissionDenied);
    user.client.put("hoo", "baz").await.expect("by the second role");
    auth.role_delete(&second).await.expect("deleted");
    assert!(auth.user_get(&user.name).await.expect("known").roles.is_empty());
    assert_refused!(user.client.put("hoo", "bar"), PermissionDenied);
}

#[tokio::test]
async fn read_and_write_permissions_are_independent() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read("r"), Permission::write("w")]).await;
    guarded.root.put("r", "v").await.expect("root may");
    assert_eq!(value(&user.client, "r").await.as_deref(), Some("v"));
    assert_refused!(user.client.put("r", "w"), PermissionDenied);
    assert_refused!(user.client.delete("r"), PermissionDenied);
    user.client.put("w", "v").await.expect("may be written");
    assert_refused!(user.client.get("w"), PermissionDenied);
    assert_refused!(user.client.put("w", "v").prev_kv(), PermissionDenied);
    assert_refused!(user.client.delete("w").prev_kv(), PermissionDenied);
    user.client.delete("w").await.expect("may be deleted");
}

#[tokio::test]
async fn prefix_permission_ends_at_the_prefix() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("/prefix/").prefix()]).await;
    for name in ["/prefix/", "/prefix/1", "/prefix/\u{ff}"] {
        user.client.put(name, "v").await.expect("below the prefix");
    }
    assert_eq!(user.client.get("/prefix/").prefix().await.expect("the whole prefix").count, 3);
    assert_refused!(user.client.put("/prefix0", "v"), PermissionDenied);
    assert_refused!(user.client.put("/prefix", "v"), PermissionDenied);
    assert_refused!(user.client.get("/prefix/").range_end("/prefix1"), PermissionDenied);
    assert_refused!(user.client.get("/prefix/").from_key(), PermissionDenied);
}

#[tokio::test]
async fn all_keys_and_all_from_a_key_have_no_end() {
    let Some(guarded) = guarded().await else { return };
    let from = guarded.user([Permission::read_write("m").from_key()]).await;
    from.client.put("zzz", "v").await.expect("after m");
    assert_eq!(from.client.get("m").from_key().await.expect("its range").count, 1);
    assert_refused!(from.client.put("l", "v"), PermissionDenied);
    let all = guarded.user([Permission::read_write("").all_keys()]).await;
    all.client.put("\0", "v").await.expect("the first key there is");
    assert_eq!(all.client.get("").all_keys().await.expect("all").count, 2);
}

#[tokio::test]
async fn a_txn_needs_a_permission_for_each_of_its_keys() {
    let Some(guarded) = guarded().await else { return };
    for key in ["c1", "c2", "s1", "s2", "f1", "f2"] {
        guarded.root.put(key, "v").await.expect("root may");
    }
    let user = guarded.user(["c2", "s2", "f2"].map(Permission::read_write)).await;
    let txn = |compare: &str, success: &str, failure: &str| {
        let txn = user.client.txn().when(Compare::version(compare).equal(1));
        txn.then(Get::new(success)).or_else(Get::new(failure))
    };
    assert!(txn("c2", "s2", "f2").await.expect("all three are granted").succeeded());
    assert_refused!(txn("c1", "s2", "f2"), PermissionDenied);
    assert_refused!(txn("c2", "s1", "f2"), PermissionDenied);
    assert_refused!(txn("c2", "s2", "f1"), PermissionDenied);
}

#[tokio::test]
async fn a_nested_delete_of_anothers_key_is_rejected() {
    let Some(guarded) = guarded().await else { return };
    if guarded.forgets_checks() {
        return;
    }
    guarded.root.put("root-key", "v").await.expect("root may");
    let user = guarded.user([Permission::read_write("user-key")]).await;
    let inner = Txn::new().then(Delete::new("root-key"));
    let txn = user.client.txn().then(Txn::new().then(inner));
    assert_refused!(txn, PermissionDenied);
    assert_eq!(value(&guarded.root, "root-key").await.as_deref(), Some("v"));
}

/// Fixed in 3.4.44, 3.5.30 and 3.6.11: older servers gave the previous pair away.
#[tokio::test]
async fn a_previous_pair_needs_the_permission_to_read() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::write("w")]).await;
    guarded.root.put("w", "old").await.expect("root may");
    let fixed_in = match guarded.line() {
        Line::V3_4 => 44,
        Line::V3_5 => 30,
        Line::V3_6 => 11,
        _ => 0,
    };
    let txn = user.client.txn().then(Put::new("w", "new").prev_kv());
    if guarded.cluster.version().patch() < fixed_in {
        txn.await.expect("a hole of old servers");
    } else {
        assert_refused!(txn, PermissionDenied);
    }
}

#[tokio::test]
async fn only_root_compacts() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("").all_keys()]).await;
    user.client.put("foo", "1").await.expect("put");
    let revision = user.client.put("foo", "2").await.expect("put").header.revision;
    if guarded.forgets_checks() {
        return;
    }
    assert_refused!(user.client.compact(revision), PermissionDenied);
    guarded.root.compact(revision).await.expect("root may");
}
