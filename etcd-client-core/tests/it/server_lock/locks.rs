//! Locks on a real member: who has them, who waits, and what is left behind.

use std::time::Duration;

use etcd_client_core::{Code, ErrorKind, LeaseId, Outcome, Put};
use etcd_testkit::{Cluster, Line};
use tokio::time::timeout;

use super::{contended, granted};
use crate::servers::{PATIENCE, client, shared};

#[tokio::test]
async fn the_second_of_two_contenders_has_the_lock_after_the_first() {
    let Some(cluster) = shared() else { return };
    let (one, two) = (client(cluster.endpoints()), client(cluster.endpoints()));
    let (first, second) = (granted(&one).await, granted(&two).await);
    let held = one.server_lock().lock("locks/two", first).await.expect("locked");
    assert_eq!(held.key, *format!("locks/two/{first:x}"));
    let waiter = tokio::spawn({
        let two = two.clone();
        async move { two.server_lock().lock("locks/two", second).await }
    });
    contended(&one, "locks/two", 2).await;
    assert!(!waiter.is_finished(), "the lock is held by another");
    one.server_lock().unlock(&held.key).await.expect("unlocked");
    let next = timeout(PATIENCE, waiter).await.expect("in time").expect("no panic").expect("locked");
    assert_eq!(next.key, *format!("locks/two/{second:x}"));
    assert!(!one.txn().when(held.owned()).await.expect("a check").succeeded(), "the first has it no more");
    let guarded = two.txn().when(next.owned()).then(Put::new("locks/result", "42"));
    assert!(guarded.await.expect("a txn").succeeded());
}

#[tokio::test]
async fn one_lease_is_one_contender() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = granted(&client).await;
    let first = client.server_lock().lock("locks/one", lease).await.expect("locked");
    let again =
        client.server_lock().lock("locks/one", lease).timeout(PATIENCE).await.expect("locked already");
    assert_eq!(first.key, again.key);
    client.server_lock().unlock(&first.key).await.expect("unlocked");
    client.server_lock().unlock(&first.key).await.expect("what is not there is no error");
}

#[tokio::test]
async fn lock_ends_with_its_lease() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    client.server_lock().lock("locks/lease", first).await.expect("locked");
    let waiter = tokio::spawn({
        let client = client.clone();
        async move { client.server_lock().lock("locks/lease", second).await }
    });
    contended(&client, "locks/lease", 2).await;
    client.lease().revoke(first).await.expect("revoked");
    timeout(PATIENCE, waiter).await.expect("in time").expect("no panic").expect("locked");
}

#[tokio::test]
async fn expired_lease_does_not_get_the_lock() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    let held = client.server_lock().lock("locks/expired", first).await.expect("locked");
    let waiter = tokio::spawn({
        let client = client.clone();
        async move { client.server_lock().lock("locks/expired", second).await }
    });
    contended(&client, "locks/expired", 2).await;
    client.lease().revoke(second).await.expect("revoked");
    client.server_lock().unlock(&held.key).await.expect("unlocked");
    match timeout(PATIENCE, waiter).await.expect("in time").expect("no panic") {
        Err(error) => {
            assert_eq!((error.code(), error.outcome()), (Some(Code::SessionExpired), Outcome::NotApplied));
            assert_eq!(error.operation(), Some("lock"));
        }
        // Etcd 3.4 does not look at the key again; who compares it does.
        Ok(lock) => {
            assert!(cluster.version().line() < Line::V3_5, "{lock:?}");
            assert!(!client.txn().when(lock.owned()).await.expect("a check").succeeded());
        }
    }
}

#[tokio::test]
async fn an_unknown_lease_locks_nothing() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let unknown = LeaseId::new(0x5eed).expect("an id");
    let error = client.server_lock().lock("locks/unknown", unknown).await.expect_err("no such lease");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseNotFound), Outcome::NotApplied));
}

#[tokio::test]
async fn dropped_waiter_leaves_the_queue() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    client.server_lock().lock("locks/dropped", first).await.expect("locked");
    {
        let waits = async { client.server_lock().lock("locks/dropped", second).await };
        tokio::select! {
            answer = waits => panic!("the lock is held by another: {answer:?}"),
            () = contended(&client, "locks/dropped", 2) => {}
        }
    }
    contended(&client, "locks/dropped", 1).await;
}

#[tokio::test]
async fn a_wait_with_a_deadline_ends_with_it() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let (first, second) = (granted(&client).await, granted(&client).await);
    client.server_lock().lock("locks/deadline", first).await.expect("locked");
    let lock = client.server_lock().lock("locks/deadline", second).timeout(Duration::from_millis(600));
    let key = lock.key();
    let error = lock.await.expect_err("the lock is held by another");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown), "{}", error.report());
    // Whether the member has deleted it or not: it is known what to delete.
    client.server_lock().unlock(key).await.expect("unlocked");
    contended(&client, "locks/deadline", 1).await;
}

#[tokio::test]
async fn dropped_waiter_with_auth_leaves_its_key_until_expiry() {
    const PASSWORD: &str = "secret";
    let Some(cluster) = Cluster::builder().auth(PASSWORD).start_or_skip().await else { return };
    let client = etcd_client_core::Client::builder(cluster.endpoints());
    let client = client.password("root", PASSWORD).build().expect("built");
    let (first, second) = (granted(&client).await, granted(&client).await);
    let held = client.server_lock().lock("locks/auth", first).await.expect("locked");
    {
        let waits = async { client.server_lock().lock("locks/auth", second).await };
        tokio::select! {
            answer = waits => panic!("the lock is held by another: {answer:?}"),
            () = contended(&client, "locks/auth", 2) => {}
        }
    }
    client.server_lock().unlock(&held.key).await.expect("unlocked");
    // The key of the one that left still holds the lock up, however long that one is gone.
    let third = granted(&client).await;
    let error = client.server_lock().lock("locks/auth", third).timeout(Duration::from_secs(2)).await;
    assert_eq!(error.expect_err("a key is in the way").kind(), ErrorKind::Timeout);
    client.lease().revoke(second).await.expect("revoked");
    client.server_lock().lock("locks/auth", third).timeout(PATIENCE).await.expect("locked");
}
