//! Sessions: their leases, and the effect of their end on their keys.

use std::time::Duration;

use etcd_concurrency::{EphemeralKey, Error, Mutex, Session, session::SessionEnd};
use tokio::sync::oneshot;

use crate::rig::{client, cluster, count, eventually, in_time, session};

#[tokio::test]
async fn session_keeps_its_lease_until_closed() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = Session::builder(&client).ttl(Duration::from_secs(90)).await.expect("a session");
    assert_eq!(session.ttl(), Duration::from_secs(90));
    let _key = EphemeralKey::create(&session, "here", "").await.expect("free");
    assert_eq!(count(&client, "here").await, 1);
    let lost = session.lost();
    session.clone().close().await.expect("revoked");
    assert_eq!(in_time("the end", lost).await, SessionEnd::Closed);
    assert_eq!(count(&client, "here").await, 0);
    assert!(matches!(
        Mutex::new(&session, "lock").lock().await,
        Err(Error::SessionExpired(SessionEnd::Closed))
    ));
    assert!(client.lease().time_to_live(session.lease()).await.expect("a response").ttl.is_none());
}

#[tokio::test]
async fn session_outlives_its_ttl() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = Session::builder(&client).ttl(Duration::from_secs(2)).await.expect("a session");
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let first = session.deadline().expect("it lives");
    eventually("the lease was renewed twice", async || {
        session.deadline().is_some_and(|deadline| deadline > first + Duration::from_secs(1))
    })
    .await;
    guard.unlock().await.expect("held");
}

#[tokio::test]
async fn orphaned_lease_is_taken_over() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let first = session(&client).await;
    let guard = Mutex::new(&first, "lock").lock().await.expect("free");
    let fence = guard.fence();
    let lost = tokio::spawn(guard.lost());
    let lease = first.orphan();
    assert!(matches!(
        in_time("the end", lost).await.expect("no panic"),
        Error::SessionExpired(SessionEnd::Orphaned)
    ));
    drop(guard);
    let second = Session::builder(&client).lease(lease).await.expect("the lease lives");
    assert_eq!(second.lease(), lease);
    let guard = in_time("its own lock", Mutex::new(&second, "lock").lock()).await.expect("held by the lease");
    assert_eq!(guard.fence(), fence);
    guard.unlock().await.expect("held");
}

#[tokio::test]
async fn revoked_lease_ends_the_session_and_its_locks() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = Session::builder(&client).ttl(Duration::from_secs(3)).await.expect("a session");
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let (lost, end) = (tokio::spawn(guard.lost()), tokio::spawn(session.lost()));
    client.lease().revoke(session.lease()).await.expect("revoked");
    assert!(in_time("the loss", lost).await.expect("no panic").is_lost());
    assert_eq!(in_time("the end", end).await.expect("no panic"), SessionEnd::Lost);
    assert!(matches!(guard.unlock().await, Err(Error::SessionExpired(_) | Error::NotOwner)));
}

#[tokio::test]
async fn session_ends_when_its_future_completes() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let (tell, told) = oneshot::channel::<()>();
    let until = async {
        let _ = told.await;
    };
    let session =
        Session::builder(&client).ttl(Duration::from_secs(2)).until(until).await.expect("a session");
    let _key = EphemeralKey::create(&session, "here", "").await.expect("free");
    let lost = session.lost();
    tell.send(()).expect("it waits");
    assert_eq!(in_time("the end", lost).await, SessionEnd::Orphaned);
    assert_eq!(count(&client, "here").await, 1, "nothing is revoked");
    eventually("the lease has expired", async || count(&client, "here").await == 0).await;
}
