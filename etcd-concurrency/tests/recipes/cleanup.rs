//! Dropped futures, rejected requests and lost responses leave no key behind.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use etcd_concurrency::{Error, Mutex, Session, keys::contender_key};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    contest::{HOUR, Held, NAME, Recipe, SECOND, TTL},
    model::{Counts, Fault, Model},
};

/// No key is left after this time: the burn of the token and one deletion take a millisecond each.
const BOUND: Duration = Duration::from_millis(5);

/// Polls a future until it is ready or was pending `pending` times, then drops it. Returns its output if it was ready.
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
async fn future_dropped_at_any_point_leaves_no_key() {
    for recipe in Recipe::ALL {
        for contended in [false, true] {
            let mut points = 0;
            for pending in 0..200 {
                let model = Model::default();
                let other = model.session(TTL);
                let held = if contended { Some(recipe.enter(&other).await.expect("free")) } else { None };
                let session = model.session(TTL);
                // A second contender behind it shows the handover as well.
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
                // The session still works.
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
async fn entry_with_lost_response_is_found() {
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
async fn entry_with_unknown_outcome_leaves_no_key() {
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
async fn late_copy_of_an_abandoned_entry_is_rejected() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let late = Duration::from_secs(60);
        model.next_writes([Fault::Hangs(late)]);
        let session = model.session(TTL);
        assert!(timeout(SECOND, recipe.enter(&session)).await.is_err());
        let before = model.revision();
        sleep(BOUND).await;
        assert_eq!(model.revision(), before.next(), "the burn");
        sleep(2 * late).await;
        assert_eq!(model.revision(), before.next(), "the entry came and changed nothing");
        assert!(model.keys("").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn entry_applied_before_its_burn_is_deleted() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        model.next_writes([Fault::Hangs(SECOND / 2)]);
        assert!(timeout(SECOND, recipe.enter(&session)).await.is_err());
        assert_eq!(model.keys("").len(), 1, "it was applied after all");
        sleep(BOUND).await;
        assert!(model.keys("").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_attempt_blocks_its_session_for_two_round_trips() {
    let model = Model::default();
    model.next_writes([Fault::Hangs(60 * SECOND)]);
    let session = model.session(TTL);
    let mutex = Mutex::new(&session, NAME);
    assert!(matches!(mutex.try_lock_for(SECOND).await, Err(Error::TimedOut)));
    assert!(matches!(mutex.try_lock().await, Err(Error::Locked)), "not before the outcome is known");
    let guard = timeout(BOUND, mutex.lock()).await.expect("in time").expect("free");
    sleep(10 * TTL).await;
    assert_eq!(model.keys("").len(), 1);
    guard.unlock().await.expect("still held");
}

#[tokio::test(start_paused = true)]
async fn rejected_burn_is_retried_until_it_succeeds() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(HOUR);
        model.next_writes([Fault::Hangs(600 * SECOND)]);
        assert!(timeout(SECOND, recipe.enter(&session)).await.is_err());
        // Before the burn arrives.
        model.set_full(true);
        sleep(300 * SECOND).await;
        assert!(model.tokens() == 0, "nothing can be put");
        model.set_full(false);
        sleep(6 * SECOND).await;
        assert!(model.tokens() == 1, "burnt");
        sleep(600 * SECOND).await;
        assert!(model.keys("").is_empty(), "{recipe:?}: the entry came after the alarm was cleared");
        recipe.enter(&session).await.expect("free").leave().await.expect("held");
    }
}

#[tokio::test(start_paused = true)]
async fn leaves_the_queue_while_the_store_is_full() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(HOUR);
        model.next_writes([Fault::Hangs(SECOND / 2)]);
        assert!(timeout(SECOND, recipe.enter(&session)).await.is_err());
        assert_eq!(model.keys("").len(), 1, "it was applied");
        model.set_full(true);
        sleep(6 * SECOND).await;
        assert!(model.keys("").is_empty(), "{recipe:?}: the token was read, and a deletion is no put");
    }
}

#[tokio::test(start_paused = true)]
async fn key_under_another_lease_is_not_taken() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (one, two) = (model.session(TTL), model.session(TTL));
        let key = contender_key(NAME, one.lease());
        model.put_with_lease(key.clone(), "", two.lease());
        assert!(matches!(recipe.enter(&one).await, Err(Error::KeyExists)));
        sleep(SECOND).await;
        assert_eq!(model.keys("").len(), 1, "its owner keeps it");
        model.delete(key);
        recipe.enter(&one).await.expect("free").leave().await.expect("held");
    }
}

/// An operator deletes tokens, which are the only proof of the outcome.
#[tokio::test(start_paused = true)]
async fn entry_whose_token_was_deleted_is_lost() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        recipe.enter(&session).await.expect("free").leave().await.expect("held");
        // The entry is applied and its response lost; the token is deleted before the retry.
        model.next_writes([Fault::AnswerLost, Fault::AfterDeletingTokens]);
        assert!(matches!(recipe.enter(&session).await, Err(Error::LockLost)));
        sleep(BOUND).await;
        assert!(model.keys("").is_empty());
        recipe.enter(&session).await.expect("free").leave().await.expect("held");
        assert_eq!(model.tokens(), 1, "under a new name");
    }
}

/// The same for a dropped future: the session finds no token, but the key under its lease.
#[tokio::test(start_paused = true)]
async fn dropped_entry_whose_token_was_deleted_leaves_no_key() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        recipe.enter(&session).await.expect("free").leave().await.expect("held");
        let soon = Duration::from_millis(1);
        model.next_writes([Fault::Hangs(soon), Fault::AfterDeletingTokens]);
        assert!(timeout(10 * soon, recipe.enter(&session)).await.is_err());
        sleep(BOUND).await;
        assert!(model.keys("").is_empty(), "{recipe:?}: {:?}", model.keys(""));
        recipe.enter(&session).await.expect("free").leave().await.expect("held");
    }
}

#[tokio::test(start_paused = true)]
async fn entering_and_leaving_take_one_request_each() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        for _ in 0..100 {
            let before = model.counts();
            let held = recipe.enter(&session).await.expect("free");
            assert_eq!(model.counts().since(before), Counts { writes: 1, ..Counts::default() });
            held.leave().await.expect("held");
            assert_eq!(model.counts().since(before), Counts { writes: 2, ..Counts::default() });
        }
        assert_eq!(model.tokens(), 1, "{recipe:?}: no more than entries at a time");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_match_concurrent_entries_and_end_with_the_session() {
    let model = Model::default();
    let session = model.session(TTL);
    let mut guards = Vec::new();
    for round in 0..20 {
        let mutexes: Vec<_> =
            (0..5).map(|number| Mutex::new(&session, format!("{round}-{number}"))).collect();
        for guard in futures_util::future::join_all(mutexes.iter().map(Mutex::lock)).await {
            guards.push(guard.expect("free"));
        }
    }
    assert_eq!((model.keys("").len(), model.tokens()), (100, 5));
    let lease = session.lease();
    drop(guards);
    sleep(SECOND).await;
    assert!(model.keys("").is_empty());
    session.close().await.expect("no outage");
    model.revoke(lease);
    assert_eq!(model.tokens(), 0);
}

/// The lease of an unused session is not kept alive while etcd rejects its cleanups.
#[tokio::test(start_paused = true)]
async fn unresolved_entries_end_with_the_lease() {
    let model = Model::default();
    let session = model.session(TTL);
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    model.deny(true);
    drop((guard, session));
    sleep(3 * TTL).await;
    assert_eq!((model.keys("").len(), model.tokens()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn cleanup_survives_an_outage() {
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
async fn unlock_with_lost_response_succeeds() {
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
async fn unlock_deletes_only_its_own_key() {
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
async fn tasks_of_one_session_exclude_each_other() {
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
async fn dropping_the_last_handle_ends_the_session_but_not_the_lease() {
    let model = Model::default();
    let session = model.session(TTL);
    let guard = Mutex::new(&session, NAME).lock().await.expect("free");
    let lost = session.lost();
    drop(session);
    sleep(10 * TTL).await;
    guard.unlock().await.expect("a guard keeps the session");
    assert_eq!(lost.await, etcd_concurrency::session::SessionEnd::Orphaned);
}

#[tokio::test(start_paused = true)]
async fn orphaned_lock_is_taken_over_with_its_lease() {
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
        let heir = Session::builder(model.store()).start(model.keep_again(lease, TTL));
        let again = recipe.enter(&heir).await.expect("held by the lease");
        assert_eq!(again.fence(), fence);
        assert!(!waiter.is_finished());
        again.leave().await.expect("held");
        waiter.await.expect("no panic").expect("its turn");
    }
}

#[tokio::test(start_paused = true)]
async fn until_ends_the_session() {
    let mut cx = Context::from_waker(Waker::noop());
    let model = Model::default();
    let session = model.session(TTL);
    let mut lost = pin!(session.lost());
    assert!(lost.as_mut().poll(&mut cx).is_pending());
    assert!(session.deadline().is_some() && session.ended().is_none());
    session.clone().close().await.expect("no outage");
    assert_eq!(lost.await, etcd_concurrency::session::SessionEnd::Closed);
    assert_eq!(session.ended(), Some(etcd_concurrency::session::SessionEnd::Closed));
    assert!(session.deadline().is_none());
    session.close().await.expect("twice is no error");
}
