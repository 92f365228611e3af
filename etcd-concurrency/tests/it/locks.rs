//! The mutex on real members.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use etcd_client_core::{Compare, Put};
use etcd_concurrency::{Error, Mutex};
use tokio::time::{Duration, sleep};

use crate::rig::{client, cluster, count, eventually, in_time, session};

/// Many contenders lock and unlock through all members, never two at a time.
#[tokio::test]
async fn one_holder_at_a_time_across_members() {
    let Some(cluster) = cluster(3).await else { return };
    let held = Arc::new(AtomicBool::new(false));
    let mut contenders = Vec::new();
    for _ in 0..10 {
        let (client, held) = (client(&cluster), Arc::clone(&held));
        contenders.push(tokio::spawn(async move {
            let session = session(&client).await;
            let mutex = Mutex::new(&session, "lock");
            let mut fences = Vec::new();
            for _ in 0..5 {
                let guard = mutex.lock().await.expect("its turn");
                assert!(!held.swap(true, Ordering::SeqCst), "two hold");
                let txn = client.txn().when(guard.owned()).then(Put::new("result", "x"));
                assert!(txn.await.expect("a response").succeeded());
                held.store(false, Ordering::SeqCst);
                fences.push(guard.fence());
                guard.unlock().await.expect("held");
            }
            session.close().await.expect("closed");
            fences
        }));
    }
    let mut fences = Vec::new();
    for contender in contenders {
        fences.extend(in_time("all turns", contender).await.expect("no panic"));
    }
    fences.sort();
    fences.dedup();
    assert_eq!(fences.len(), 50, "each turn has a fence of its own");
    assert_eq!(count(&client(&cluster), "lock/").await, 0);
}

#[tokio::test]
async fn one_of_many_try_locks_succeeds() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let mut tries = Vec::new();
    for _ in 0..5 {
        let session = session(&client).await;
        tries.push(tokio::spawn(async move { Mutex::new(&session, "lock").try_lock().await }));
    }
    let mut guards = Vec::new();
    for one in tries {
        match in_time("a response", one).await.expect("no panic") {
            Ok(guard) => guards.push(guard),
            Err(error) => assert!(matches!(error, Error::Locked), "{error}"),
        }
    }
    assert_eq!(guards.len(), 1);
    assert_eq!(count(&client, "lock/").await, 1, "a rejected attempt leaves no key");
}

#[tokio::test]
async fn old_fence_is_rejected() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let (one, two) = (session(&client).await, session(&client).await);
    let old = Mutex::new(&one, "lock").lock().await.expect("free");
    let waiting = tokio::spawn(async move { Mutex::new(&two, "lock").lock().await });
    eventually("the other one waits", async || count(&client, "lock/").await == 2).await;
    client.delete(old.key().clone()).await.expect("deleted");
    let new = in_time("its turn", waiting).await.expect("no panic").expect("its turn");
    assert!(new.fence() > old.fence());
    let write = |owned: Compare| client.txn().when(owned).then(Put::new("result", "x"));
    assert!(!write(old.owned()).await.expect("a response").succeeded());
    assert!(write(new.owned()).await.expect("a response").succeeded());
    assert!(matches!(old.unlock().await, Err(Error::NotOwner)));
    new.unlock().await.expect("held");
}

#[tokio::test]
async fn dropped_wait_leaves_no_key() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let (one, two) = (session(&client).await, session(&client).await);
    let guard = Mutex::new(&one, "lock").lock().await.expect("free");
    let mutex = Mutex::new(&two, "lock");
    for millis in 0..20 {
        let waited = mutex.try_lock_for(Duration::from_millis(millis)).await;
        assert!(matches!(waited, Err(Error::TimedOut)), "{waited:?}");
    }
    eventually("only the holder is left", async || count(&client, "lock/").await == 1).await;
    guard.unlock().await.expect("held");
    in_time("its turn", mutex.lock()).await.expect("free").unlock().await.expect("held");
}

/// Members are killed and restarted under contention. Fences show the order, and every contender gets its turn.
#[tokio::test]
async fn locks_work_while_members_are_killed() {
    let Some(cluster) = cluster(3).await else { return };
    let held = Arc::new(AtomicBool::new(false));
    let mut contenders = Vec::new();
    for number in 0..8_u64 {
        let (session, held) = (session(&client(&cluster)).await, Arc::clone(&held));
        contenders.push(tokio::spawn(async move {
            let mutex = Mutex::new(&session, "lock");
            let mut turns = 0;
            while turns < 5 {
                match mutex.lock().await {
                    Ok(guard) => {
                        assert!(!held.swap(true, Ordering::SeqCst), "two hold");
                        sleep(Duration::from_millis(10 + number)).await;
                        held.store(false, Ordering::SeqCst);
                        turns += 1;
                        drop(guard);
                    }
                    Err(error) => assert!(error.client().is_some(), "{error}"),
                }
            }
        }));
    }
    for member in 0..3 {
        cluster.member(member).kill().expect("killed");
        sleep(Duration::from_millis(500)).await;
        cluster.member(member).restart().await.expect("back");
        cluster.wait_healthy(crate::rig::PATIENCE).await.expect("healthy");
    }
    for contender in contenders {
        in_time("all turns", contender).await.expect("no panic");
    }
}
