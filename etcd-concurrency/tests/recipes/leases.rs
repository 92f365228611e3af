//! Sessions without tokens: each entry has its own lease.

use std::{num::NonZeroUsize, time::Duration};

use etcd_client_core::Outcome;
use etcd_concurrency::{
    DoubleBarrier, Election, EphemeralKey, Error, Mutex, PriorityQueue, Queue, RwLock, Semaphore, Session,
    session::{SessionEnd, Tokens},
};
use tokio::time::{Instant, sleep, timeout};

use crate::model::{Fault, Model};

const TTL: Duration = Duration::from_secs(10);

/// Longer than one or two requests take.
const SOON: Duration = Duration::from_millis(20);

fn session(model: &Model) -> Session {
    Session::builder(model.store()).tokens(Tokens::lease_per_entry()).start(model.keep(TTL))
}

#[tokio::test(start_paused = true)]
async fn entering_and_leaving_take_two_requests_each() {
    let model = Model::default();
    let session = session(&model);
    let before = model.counts();
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let entered = model.counts().since(before);
    assert_eq!((entered.reads, entered.writes), (0, 2), "a grant and the entry");
    let before = model.counts();
    guard.unlock().await.expect("held");
    let left = model.counts().since(before);
    assert_eq!((left.reads, left.writes), (1, 1), "a read and the revocation");
    assert_eq!((model.tokens(), model.live_leases()), (0, 1), "only the session's lease is left");
}

#[tokio::test(start_paused = true)]
async fn tasks_of_one_session_exclude_each_other() {
    let model = Model::default();
    let mutex = Mutex::new(&session(&model), "lock");
    let first = mutex.lock().await.expect("free");
    assert!(matches!(mutex.try_lock().await, Err(Error::Locked)));
    assert_eq!(model.keys("lock/").len(), 1, "a rejected attempt leaves no key");
    assert_eq!(model.live_leases(), 2, "its lease was revoked before it returned");
    let waits = tokio::spawn({
        let mutex = mutex.clone();
        async move { mutex.lock().await }
    });
    sleep(SOON).await;
    assert_eq!(model.keys("lock/").len(), 2);
    let fence = first.fence();
    first.unlock().await.expect("held");
    let second = waits.await.expect("no panic").expect("its turn");
    assert!(second.fence() > fence);
}

#[tokio::test(start_paused = true)]
async fn dropped_guard_revokes_its_lease() {
    let model = Model::default();
    let session = session(&model);
    drop(Mutex::new(&session, "lock").lock().await.expect("free"));
    sleep(SOON).await;
    assert_eq!((model.keys("lock/").len(), model.live_leases()), (0, 1));
}

/// The copy that the first attempt left behind arrives after the lease of the entry is gone.
#[tokio::test(start_paused = true)]
async fn late_copy_of_an_abandoned_entry_is_rejected() {
    let model = Model::default();
    let session = session(&model);
    model.next_writes([Fault::None, Fault::AppliedLater(Duration::from_secs(3))]);
    let error = Mutex::new(&session, "lock").lock().await.expect_err("the response is lost");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    sleep(Duration::from_secs(5)).await;
    assert_eq!((model.keys("lock/").len(), model.live_leases()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn unanswered_grant_is_retried_with_another_lease() {
    let model = Model::default();
    let session = session(&model);
    model.next_writes([Fault::AnswerLost]);
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    assert_eq!(model.live_leases(), 3, "the session's, the unanswered one, the guard's");
    guard.unlock().await.expect("held");
    sleep(2 * TTL).await;
    assert_eq!(model.live_leases(), 1, "an unused lease expires");
}

#[tokio::test(start_paused = true)]
async fn lock_is_lost_with_its_own_lease() {
    let model = Model::default();
    let session = session(&model);
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let lease = model.queue("lock/")[0].lease.expect("a lease");
    assert_ne!(lease, session.lease());
    let began = Instant::now();
    // The key still exists, so no event reports a loss: only the client's clock shows it.
    model.lose_renewals(lease);
    let lost = guard.scope(std::future::pending::<()>()).await.expect_err("lost");
    assert!(matches!(lost, Error::LockLost), "{lost}");
    assert!(began.elapsed() <= TTL + SOON, "{:?}", began.elapsed());
    assert_eq!((session.ended(), model.keys("lock/").len()), (None, 1));
    let mut polled = false;
    let late = guard.scope(async { polled = true }).await.expect_err("lost");
    assert!(matches!(late, Error::LockLost) && !polled, "{late}");
    guard.unlock().await.expect("the key was still there");
    assert_eq!(model.live_leases(), 1);
}

#[tokio::test(start_paused = true)]
async fn wait_is_lost_with_its_own_lease() {
    let model = Model::default();
    let (one, two) = (session(&model), session(&model));
    let _held = Mutex::new(&one, "lock").lock().await.expect("free");
    let waits = tokio::spawn(async move { Mutex::new(&two, "lock").lock().await });
    sleep(SOON).await;
    let lease = model.queue("lock/")[1].lease.expect("a lease");
    model.lose_renewals(lease);
    let lost = timeout(TTL + SOON, waits).await.expect("in time").expect("no panic").expect_err("lost");
    assert!(matches!(lost, Error::LockLost), "{lost}");
    sleep(SOON).await;
    assert_eq!(model.keys("lock/").len(), 1, "its key is not left behind");
}

#[tokio::test(start_paused = true)]
async fn close_revokes_all_entry_leases() {
    let model = Model::default();
    let session = session(&model);
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let leader = Election::new(&session, "election").campaign("a").await.expect("alone");
    let lost = guard.lost();
    session.clone().close().await.expect("no outage");
    // The handle of the session's own lease revokes nothing in the model.
    assert_eq!((model.keys("").len(), model.live_leases()), (0, 1));
    assert!(matches!(lost.await, Error::SessionExpired(SessionEnd::Closed)));
    assert!(matches!(leader.resign().await, Err(Error::SessionExpired(SessionEnd::Closed))));
    let late = Mutex::new(&session, "lock").lock().await.expect_err("closed");
    assert!(matches!(late, Error::SessionExpired(SessionEnd::Closed)), "{late}");
}

#[tokio::test(start_paused = true)]
async fn entries_of_an_orphaned_session_expire() {
    let model = Model::default();
    let session = session(&model);
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    session.orphan();
    sleep(SOON).await;
    assert_eq!(model.keys("lock/").len(), 1);
    // A guard that is still held does not renew its lease.
    sleep(TTL).await;
    assert_eq!((model.keys("lock/").len(), model.live_leases()), (0, 0));
    assert!(matches!(guard.unlock().await, Err(Error::SessionExpired(SessionEnd::Orphaned))));
}

#[tokio::test(start_paused = true)]
async fn other_recipes_work_with_a_lease_per_entry() {
    let model = Model::default();
    let (one, two) = (session(&model), session(&model));
    let rw = (RwLock::new(&one, "rw"), RwLock::new(&two, "rw"));
    let (first, second) = (rw.0.read().await.expect("free"), rw.1.try_read().await.expect("shared"));
    assert!(matches!(rw.0.try_write().await, Err(Error::Locked)));
    first.unlock().await.expect("held");
    second.unlock().await.expect("held");
    rw.1.try_write().await.expect("free").unlock().await.expect("held");

    let permits = NonZeroUsize::new(1).expect("not zero");
    let permit = Semaphore::new(&one, "permits", permits).acquire().await.expect("free");
    assert!(matches!(Semaphore::new(&two, "permits", permits).try_acquire().await, Err(Error::Locked)));
    permit.unlock().await.expect("held");

    let key = EphemeralKey::create(&one, "host", "1").await.expect("new");
    assert!(matches!(EphemeralKey::create(&two, "host", "2").await, Err(Error::KeyExists)));
    key.put("3").await.expect("owned");
    key.delete().await.expect("owned");

    let leader = Election::new(&one, "election").campaign("a").await.expect("alone");
    leader.proclaim("b").await.expect("leads");
    leader.resign().await.expect("leads");

    let count = NonZeroUsize::new(2).expect("not zero");
    let (a, b) = (DoubleBarrier::new(&one, "meeting", count), DoubleBarrier::new(&two, "meeting", count));
    for _round in 0..3 {
        let (a, b) = tokio::join!(a.enter(), b.enter());
        let (a, b) = tokio::join!(a.expect("both came").leave(), b.expect("both came").leave());
        a.and(b).expect("both left");
        assert!(model.keys("meeting/").is_empty(), "{:?}", model.keys("meeting/"));
    }
    assert_eq!((model.keys("").len(), model.live_leases()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn queues_with_a_session_need_tokens() {
    let model = Model::default();
    let session = session(&model);
    let queue = Queue::with_session(&session, "queue");
    let error = queue.enqueue("1").await.expect_err("no tokens");
    assert!(matches!(error, Error::NeedsTokens { recipe: "Queue::with_session" }), "{error}");
    assert!(error.to_string().contains("Tokens::below"), "{error}");
    Queue::new(model.store(), "queue").enqueue("1").await.expect("no session");
    let error = queue.try_dequeue().await.expect_err("no tokens");
    assert!(matches!(error, Error::NeedsTokens { .. }), "{error}");
    let error = PriorityQueue::with_session(&session, "urgent").enqueue("1", 0).await.expect_err("no tokens");
    assert!(matches!(error, Error::NeedsTokens { recipe: "PriorityQueue::with_session" }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn store_without_lease_service_is_rejected() {
    let model = Model::default();
    let store = model.store_without_leases();
    let session = Session::builder(store).tokens(Tokens::lease_per_entry()).start(model.keep(TTL));
    let error = Mutex::new(&session, "lock").lock().await.expect_err("no lease service");
    assert!(error.to_string().contains("Store::with_leases"), "{error}");
}
