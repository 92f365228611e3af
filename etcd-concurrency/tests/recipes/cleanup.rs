//! What is dropped, refused or lost on the way leaves no key behind.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use etcd_concurrency::{Error, Mutex, Session};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    contest::{Held, NAME, Recipe, SECOND, TTL},
    model::{Fault, Model},
};

/// After this time no key is left: the server's request timeout, and one deletion.
const BOUND: Duration = Duration::from_secs(8);

/// Polls a future until it is done or was pending so many times, then drops it; whether it was done.
async fn dropped_after(pending: usize, future: impl Future<Output = Result<Held, Error>>) -> Option<Held> {
    let mut future = pin!(future);
    let mut left = pending;
    let held = std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(held) => Poll::Ready(Some(held)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await;
    held.map(|held| held.expect("its turn"))
}

async fn assert_gone_in_time(model: &Model, left: usize, what: impl std::fmt::Debug) {
    let deadline = Instant::now() + BOUND;
    sleep(deadline - Instant::now()).await;
    assert_eq!(model.keys("").len(), left, "{what:?}: {:?}", model.keys(""));
    sleep(TTL).await;
    assert_eq!(model.keys("").len(), left, "{what:?}: something came late: {:?}", model.keys(""));
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_at_any_point_leaves_no_key() {
    for recipe in Recipe::ALL {
        for contended in [false, true] {
            let mut points = 0;
            for pending in 0..200 {
                let model = Model::default();
                let other = model.session(TTL);
                let held = if contended { Some(recipe.enter(&other).await.expect("free")) } else { None };
                let session = model.session(TTL);
                // Another one behind, so that the handover shows as well.
                let leaves_after = held.map(|held| {
                    tokio::spawn(async move {
                        sleep(SECOND).await;
                        held.leave().await
                    })
                });
                let reached = dropped_after(pending, recipe.enter(&session)).await;
                let whole = reached.is_some();
                drop(reached);
                if let Some(leaves) = leaves_after {
                    leaves.await.expect("no panic").expect("held");
                }
                assert_gone_in_time(&model, 0, (recipe, contended, pending)).await;
                // The session is as good as before.
                timeout(BOUND, recipe.enter(&session))
                    .await
                    .expect("free")
                    .expect("free")
                    .leave()
                    .await
                    .expect("held");
                if whole {
                    points = pending;
                    break;
                }
            }
            assert!(points > if contended { 5 } else { 1 }, "{points} points are not all");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_whose_answer_was_lost_is_found_again() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        model.next_writes([Fault::AnswerLost, Fault::AnswerLost]);
        let held = recipe.enter(&model.session(TTL)).await.expect("free");
        assert_eq!(model.keys("").len(), 1);
        held.leave().await.expect("held");
        assert!(model.keys("").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_fails_in_doubt_leaves_no_key() {
    for recipe in Recipe::ALL {
        for after in [0, 10, 3_000, 6_900] {
            let model = Model::default();
            model.next_writes([Fault::AppliedLater(Duration::from_millis(after))]);
            let session = model.session(TTL);
            let failed = recipe.enter(&session).await;
            assert!(
                matches!(&failed, Err(error) if error.client().is_some_and(|error| error.outcome_unknown()))
            );
            assert_gone_in_time(&model, 0, (recipe, after)).await;
            recipe.enter(&session).await.expect("free").leave().await.expect("held");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_nobody_waits_for_and_that_is_applied_late_leaves_no_key() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        model.next_writes([Fault::Hangs(Duration::from_millis(6_900))]);
        let session = model.session(TTL);
        assert!(timeout(SECOND, recipe.enter(&session)).await.is_err());
        sleep(6 * SECOND).await;
        assert_eq!(model.keys("").len(), 1, "it is applied after all");
        sleep(2 * SECOND).await;
        assert!(model.keys("").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_of_the_same_session_waits_until_the_late_entry_is_gone() {
    let model = Model::default();
    model.next_writes([Fault::Hangs(Duration::from_millis(6_900))]);
    let session = model.session(TTL);
    let mutex = Mutex::new(&session, NAME);
    assert!(matches!(mutex.lock_within(SECOND).await, Err(Error::TimedOut)));
    assert!(matches!(mutex.try_lock().await, Err(Error::Held)));
    let guard = timeout(BOUND, mutex.lock()).await.expect("in time").expect("free");
    sleep(TTL).await;
    assert_eq!(model.keys("").len(), 1);
    guard.unlock().await.expect("still held");
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_outlasts_an_outage() {
    let model = Model::default();
    let session = model.session(Duration::from_secs(600));
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    model.set_outage(true);
    drop(guard);
    sleep(60 * SECOND).await;
    assert_eq!(model.keys("").len(), 1);
    model.set_outage(false);
    sleep(15 * SECOND).await;
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unlock_whose_answer_was_lost_is_no_loss() {
    let model = Model::default();
    let session = model.session(TTL);
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    model.next_writes([Fault::AnswerLost]);
    guard.unlock().await.expect("it was held");
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    model.next_writes([Fault::RequestLost]);
    guard.unlock().await.expect("it was held");
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unlock_deletes_only_what_it_owns() {
    let model = Model::default();
    let session = model.session(TTL);
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    let key = model.keys("")[0].clone();
    model.delete(key.clone());
    model.put(key, "another incarnation");
    assert!(matches!(guard.unlock().await, Err(Error::NotOwner)));
    assert_eq!(model.keys("").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_tasks_of_one_session_exclude_each_other() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        let held = recipe.enter(&session).await.expect("free");
        let other = recipe.spawn(&session);
        sleep(60 * SECOND).await;
        assert!(!other.is_finished());
        drop(held);
        other.await.expect("no panic").expect("its turn").leave().await.expect("held");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_last_handle_ends_the_session_and_not_the_lease() {
    let model = Model::default();
    let session = model.session(TTL);
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    let lost = session.lost();
    drop(session);
    sleep(10 * TTL).await;
    guard.unlock().await.expect("a guard keeps the session");
    assert_eq!(lost.await, etcd_concurrency::SessionEnd::Orphaned);
}

#[tokio::test(start_paused = true)]
async fn an_orphaned_lock_is_taken_over_with_its_lease() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        let held = recipe.enter(&session).await.expect("free");
        let waiter = recipe.spawn(&model.session(TTL));
        let lease = session.orphan();
        drop(held.lost());
        let fence = held.fence();
        drop(held);
        sleep(SECOND).await;
        let heir = Session::on(model.store(), model.keep_again(lease, TTL));
        let again = recipe.enter(&heir).await.expect("held by the lease");
        assert_eq!(again.fence(), fence);
        assert!(!waiter.is_finished());
        again.leave().await.expect("held");
        waiter.await.expect("no panic").expect("its turn");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_it_was_told_to() {
    let mut cx = Context::from_waker(Waker::noop());
    let model = Model::default();
    let session = model.session(TTL);
    let mut lost = pin!(session.lost());
    assert!(lost.as_mut().poll(&mut cx).is_pending());
    assert!(session.deadline().is_some() && session.ended().is_none());
    session.clone().close().await.expect("it answers");
    assert_eq!(lost.await, etcd_concurrency::SessionEnd::Closed);
    assert_eq!(session.ended(), Some(etcd_concurrency::SessionEnd::Closed));
    assert!(session.deadline().is_none());
    session.close().await.expect("twice is no error");
}
