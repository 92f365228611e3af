//! Tokens on real members: permissions, location, sessions without tokens, and a full store.

use std::num::NonZeroUsize;

use etcd_client_core::{Client, auth::Permission};
use etcd_concurrency::{
    Barrier, DoubleBarrier, Election, Error, Mutex, Queue, RwLock, Semaphore, Session, session::Tokens,
};
use etcd_testkit::Cluster;

use crate::rig::{TTL, client, cluster, count, eventually, in_time, session};

fn logged_in(cluster: &Cluster, name: &str) -> Client {
    let builder = Client::builder(cluster.endpoints()).password(name, "pw").allow_plaintext_auth();
    builder.build().expect("the endpoints are valid")
}

/// A user `app` that may read and write below `app/`.
async fn with_limited_user(cluster: &Cluster) -> Client {
    let root = client(cluster);
    let auth = root.auth();
    auth.user_add("root", "pw").await.expect("added");
    auth.user_grant_role("root", "root").await.expect("granted");
    auth.user_add("app", "pw").await.expect("added");
    auth.role_add("app").await.expect("added");
    auth.role_grant_permission("app", Permission::read_write("app/").prefix()).await.expect("granted");
    auth.user_grant_role("app", "app").await.expect("granted");
    auth.enable().await.expect("enabled");
    logged_in(cluster, "app")
}

#[tokio::test]
async fn role_needs_permission_for_tokens() {
    let Some(cluster) = cluster(1).await else { return };
    let client = with_limited_user(&cluster).await;
    let session = Session::builder(&client).ttl(TTL).await.expect("a session");
    let refused = [
        Mutex::new(&session, "app/lock").lock().await.map(drop),
        Mutex::new(&session, "app/lock").try_lock().await.map(drop),
        Election::new(&session, "app/election").campaign("").await.map(drop),
        RwLock::new(&session, "app/rw").write().await.map(drop),
        Queue::with_session(&session, "app/queue").enqueue("").await.map(drop),
    ];
    for result in refused {
        let error = result.expect_err("denied");
        assert!(matches!(&error, Error::PermissionDenied { tokens, .. } if tokens == "__entry/"), "{error}");
        assert!(error.to_string().contains("\"__entry/\""), "{error}");
        assert!(error.to_string().contains("Tokens::lease_per_entry"), "{error}");
    }
    assert_eq!(count(&client, "app/").await, 0, "nothing was written");

    let tokens = Tokens::below("app/entries/");
    let session = Session::builder(&client).ttl(TTL).tokens(tokens).await.expect("a session");
    let guard = Mutex::new(&session, "app/lock").lock().await.expect("permitted");
    assert_eq!(count(&client, "app/entries/").await, 1);
    guard.unlock().await.expect("held");
    Queue::with_session(&session, "app/queue").enqueue("1").await.expect("permitted");
    session.close().await.expect("closed");
    assert_eq!(count(&client, "app/entries/").await, 0, "tokens end with their lease");
    assert_eq!(count(&client, "app/queue/").await, 1, "items do not");
}

/// The role of [`role_needs_permission_for_tokens`], which may write below `app/` only.
#[tokio::test]
async fn lease_per_entry_needs_no_permission_for_tokens() {
    let Some(cluster) = cluster(1).await else { return };
    let client = with_limited_user(&cluster).await;
    let begin = async || Session::builder(&client).ttl(TTL).tokens(Tokens::lease_per_entry()).await;
    let (one, two) = (begin().await.expect("a session"), begin().await.expect("a session"));

    let (mutex, other) = (Mutex::new(&one, "app/lock"), Mutex::new(&two, "app/lock"));
    let guard = mutex.lock().await.expect("permitted");
    assert!(matches!(other.try_lock().await, Err(Error::Locked)));
    let waits = tokio::spawn(async move { other.lock().await });
    eventually("two queue", async || count(&client, "app/lock/").await == 2).await;
    guard.unlock().await.expect("held");
    let guard = in_time("its turn", waits).await.expect("no panic").expect("permitted");
    drop(guard);
    eventually("the lock is free", async || count(&client, "app/lock/").await == 0).await;
    mutex.try_lock().await.expect("permitted").unlock().await.expect("held");

    let leader = Election::new(&one, "app/election").campaign("1").await.expect("permitted");
    leader.proclaim("2").await.expect("leads");
    leader.resign().await.expect("leads");

    let read = RwLock::new(&one, "app/rw").read().await.expect("permitted");
    assert!(matches!(RwLock::new(&two, "app/rw").try_write().await, Err(Error::Locked)));
    read.unlock().await.expect("held");
    RwLock::new(&two, "app/rw").write().await.expect("permitted").unlock().await.expect("held");

    let permits = NonZeroUsize::new(1).expect("not zero");
    let permit = Semaphore::new(&one, "app/permits", permits).acquire().await.expect("permitted");
    assert!(matches!(Semaphore::new(&two, "app/permits", permits).try_acquire().await, Err(Error::Locked)));
    permit.unlock().await.expect("held");

    let up = Barrier::new(&client, "app/barrier").hold_with_session(&one).await.expect("permitted");
    up.delete().await.expect("owned");
    let count_of_two = NonZeroUsize::new(2).expect("not zero");
    let meet = |session| DoubleBarrier::new(session, "app/meeting", count_of_two);
    for _round in 0..2 {
        let (first, second) = (meet(&one), meet(&two));
        let (first, second) = in_time("both", async { tokio::join!(first.enter(), second.enter()) }).await;
        let leave = async { tokio::join!(first.expect("entered").leave(), second.expect("entered").leave()) };
        let (first, second) = in_time("both", leave).await;
        first.and(second).expect("both left");
    }

    Queue::new(&client, "app/queue").enqueue("1").await.expect("permitted");
    let error = Queue::with_session(&one, "app/queue").try_dequeue().await.expect_err("no tokens");
    assert!(matches!(error, Error::NeedsTokens { .. }), "{error}");
    assert_eq!(Queue::new(&client, "app/queue").dequeue().await.expect("permitted"), "1");
    assert_eq!(count(&client, "app/").await, 0, "nothing is left");

    // The end of the session ends its entries.
    let _guard = Mutex::new(&one, "app/lock").lock().await.expect("free");
    one.close().await.expect("closed");
    two.close().await.expect("closed");
    assert_eq!(count(&client, "app/").await, 0, "closed");
    let root = logged_in(&cluster, "root");
    assert_eq!(root.lease().list().await.expect("a list").leases.len(), 0, "no lease is left");
}

#[tokio::test]
async fn tokens_are_namespaced() {
    let Some(cluster) = cluster(1).await else { return };
    let all = client(&cluster);
    let namespaced = all.with_namespace("team/");
    let session = session(&namespaced).await;
    let mutex = Mutex::new(&session, "lock");
    let guard = mutex.lock().await.expect("free");
    assert_eq!(count(&all, "team/__entry/").await, 1);
    assert_eq!((count(&all, "__entry/").await, count(&all, "team/lock/").await), (0, 1));
    guard.unlock().await.expect("held");
    for _ in 0..3 {
        mutex.try_lock().await.expect("free").unlock().await.expect("held");
    }
    assert_eq!(count(&all, "team/").await, 1, "one token, and no other key");
    session.close().await.expect("closed");
    assert_eq!(count(&all, "").await, 0);
}

/// More than the quota: the alarm is raised and rejects puts. Deletions are accepted, so that locks can be released.
#[tokio::test]
async fn full_store_is_left_and_entered_again() {
    let builder = Cluster::builder().members(1).arg("--quota-backend-bytes", "1000000");
    let Some(cluster) = builder.start_or_skip().await else { return };
    let client = client(&cluster);
    let session = session(&client).await;
    let (held, wanted) = (Mutex::new(&session, "held"), Mutex::new(&session, "wanted"));
    let guard = held.lock().await.expect("free");
    let filler = vec![b'x'; 100_000];
    let mut full = None;
    for number in 0..100 {
        if let Err(error) = client.put(format!("filler/{number}"), filler.clone()).await {
            full = Some(error);
            break;
        }
    }
    assert!(full.is_some_and(|error| error.is_no_space()), "the store is full");
    let refused = wanted.lock().await.expect_err("no space");
    assert!(refused.client().is_some_and(|error| error.is_no_space()), "{refused}");
    guard.unlock().await.expect("a deletion passes");
    eventually("no key is left", async || count(&client, "held/").await == 0).await;

    let revision = client.delete("filler/").prefix().await.expect("deleted").header.revision;
    client.compact(revision).await.expect("compacted");
    client.maintenance().defragment(cluster.member(0).endpoint()).await.expect("defragmented");
    let disarmed = client.maintenance().alarm_disarm_all().await.expect("listed");
    assert!(!disarmed.disarmed.is_empty() && disarmed.failed.is_empty());
    let guard = in_time("its turn", wanted.lock()).await.expect("there is room");
    guard.unlock().await.expect("held");
    assert_eq!(count(&client, "wanted/").await, 0);
}
