//! What permissions do to leases: those on the keys that are attached.

use std::time::Duration;

use etcd_client_core::{LeaseId, Put, auth::Permission, lease::LeaseLostReason};

use super::{Guarded, assert_refused, guarded};
use crate::servers::eventually;

const LONG: Duration = Duration::from_secs(600);

/// A lease of root with a key of root attached.
async fn foreign(guarded: &Guarded) -> LeaseId {
    let lease = guarded.root.lease().grant(LONG).await.expect("granted").id;
    guarded.root.put("foreign", "v").lease(lease).await.expect("put");
    lease
}

#[tokio::test]
async fn any_user_grants_a_lease() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([]).await;
    let lease = user.client.lease().grant(LONG).await.expect("granted").id;
    let listed = guarded.root.lease().list().await.expect("root lists all").leases;
    assert!(listed.contains(&lease));
    guarded.root.lease().revoke(lease).await.expect("root may");
}

/// What a server checks of the operations on leases grew over its versions; what it refuses is a permission or a user.
#[tokio::test]
async fn revoking_requires_permission_for_all_keys_of_the_lease() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("own")]).await;
    let lease = foreign(&guarded).await;
    assert_refused!(user.client.lease().revoke(lease), PermissionDenied);
    assert_refused!(guarded.nobody().lease().revoke(lease), UserEmpty);
    guarded.root.lease().revoke(lease).await.expect("root may");
    let own = user.client.lease().grant(LONG).await.expect("granted").id;
    user.client.put("own", "v").lease(own).await.expect("put");
    user.client.lease().revoke(own).await.expect("its own keys");
    assert_eq!(user.client.get("own").await.expect("get").count, 0);
}

#[tokio::test]
async fn attaching_requires_permission_for_all_keys_of_the_lease() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("own")]).await;
    let lease = foreign(&guarded).await;
    assert_refused!(user.client.put("own", "v").lease(lease), PermissionDenied);
    if !guarded.forgets_checks() {
        assert_refused!(user.client.txn().then(Put::new("own", "v").lease(lease)), PermissionDenied);
    }
    assert_eq!(user.client.get("own").await.expect("get").count, 0);
    guarded.root.lease().revoke(lease).await.expect("root may");
}

#[tokio::test]
async fn lease_keys_require_read_permission() {
    let Some(guarded) = guarded().await else { return };
    if guarded.forgets_checks() {
        return;
    }
    let user = guarded.user([Permission::read_write("own")]).await;
    let lease = foreign(&guarded).await;
    assert_refused!(user.client.lease().time_to_live(lease).keys(), PermissionDenied);
    assert_refused!(guarded.nobody().lease().time_to_live(lease).keys(), UserEmpty);
    let shown = guarded.root.lease().time_to_live(lease).keys().await.expect("root may");
    assert_eq!(shown.keys, ["foreign"]);
    assert_refused!(user.client.lease().list(), PermissionDenied);
    guarded.root.lease().revoke(lease).await.expect("root may");
}

#[tokio::test]
async fn a_lease_of_root_expires() {
    let Some(guarded) = guarded().await else { return };
    let lease = guarded.root.lease().grant(Duration::from_secs(2)).await.expect("granted").id;
    guarded.root.put("k", "v").lease(lease).await.expect("put");
    eventually("the key is gone", async || guarded.root.get("k").await.expect("get").count == 0).await;
    assert_eq!(guarded.root.lease().time_to_live(lease).await.expect("asked").ttl, None);
}

/// The check of renewals came with 3.4.42, 3.5.28 and 3.6.9; members without it renew for anybody.
#[tokio::test]
async fn lease_without_permission_does_not_affect_others() {
    let Some(guarded) = guarded().await else { return };
    let user = guarded.user([Permission::read_write("own")]).await;
    let keep = async || {
        let grant = user.client.lease().grant(Duration::from_secs(6));
        grant.keep_alive().await.expect("granted")
    };
    let (refused, other) = (keep().await, keep().await);
    guarded.root.put("foreign", "v").lease(refused.id()).await.expect("put");
    if user.client.lease().keep_alive_once(refused.id()).await.is_ok() {
        return;
    }
    let lost = refused.lost().await;
    assert_eq!(lost.reason(), LeaseLostReason::Denied, "{lost:?}");
    assert!(lost.error().is_some_and(etcd_client_core::Error::is_permission_denied));
    assert!(!other.is_lost());
    other.revoke().await.expect("its own lease");
}
