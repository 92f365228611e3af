//! The loss of a key, a lease or a session is reported immediately: to waiters, to holders, and to frozen processes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use etcd_client_core::{Put, Txn, kv::KvService};
use etcd_concurrency::{Error, session::SessionEnd};
use tokio::time::{Instant, advance, sleep, timeout};

use crate::{
    contest::{HOUR, Recipe, SECOND, TTL},
    model::Model,
};

#[tokio::test(start_paused = true)]
async fn revoked_lease_ends_a_wait_within_one_event() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let _held = recipe.enter(&model.session(TTL)).await.expect("free");
        let session = model.session(TTL);
        let waiter = recipe.spawn(&session);
        sleep(SECOND).await;
        let before = model.counts();
        model.revoke(session.lease());
        let reported = timeout(SECOND / 100, waiter).await.expect("at once").expect("no panic");
        assert!(matches!(reported, Err(Error::LockLost)), "{reported:?}");
        assert_eq!(model.counts().since(before).reads, 0, "it need not ask");
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_key_ends_a_wait() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let _held = recipe.enter(&model.session(TTL)).await.expect("free");
        let waiter = recipe.spawn(&model.session(TTL));
        sleep(SECOND).await;
        model.delete(model.keys("lock/")[1].clone());
        assert!(matches!(waiter.await.expect("no panic"), Err(Error::LockLost)));
    }
}

#[tokio::test(start_paused = true)]
async fn ended_session_ends_a_wait() {
    for recipe in Recipe::ALL {
        for how in [SessionEnd::Closed, SessionEnd::Orphaned, SessionEnd::Lost] {
            let model = Model::default();
            let _held = recipe.enter(&model.session(TTL)).await.expect("free");
            let session = model.session(TTL);
            let waiter = recipe.spawn(&session);
            sleep(SECOND).await;
            match how {
                SessionEnd::Closed => session.close().await.expect("no outage"),
                SessionEnd::Orphaned => drop(session.orphan()),
                _ => model.freeze(session.lease()),
            }
            let reported = waiter.await.expect("no panic");
            assert!(
                matches!(reported, Err(Error::SessionExpired(end)) if end == how),
                "{reported:?}, not {how:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn holder_is_notified_of_lost_key_or_session() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        let held = recipe.enter(&session).await.expect("free");
        let lost = tokio::spawn(held.lost());
        sleep(SECOND).await;
        model.delete(model.keys("lock/")[0].clone());
        let reported = timeout(SECOND / 100, lost).await.expect("at once").expect("no panic");
        assert!(matches!(reported, Error::LockLost), "{reported:?}");
        assert!(matches!(held.leave().await, Err(Error::NotOwner)));

        let held = recipe.enter(&session).await.expect("free");
        let lost = tokio::spawn(held.lost());
        model.freeze(session.lease());
        let reported = timeout(TTL + SECOND, lost).await.expect("in time").expect("no panic");
        assert!(matches!(reported, Error::SessionExpired(SessionEnd::Lost)), "{reported:?}");
        assert!(matches!(held.leave().await, Err(Error::SessionExpired(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn loss_is_noticed_through_compactions_and_outages() {
    let model = Model::default();
    let session = model.session(HOUR);
    let held = Recipe::Mutex.enter(&session).await.expect("free");
    model.put("other", "1");
    model.put("other", "2");
    model.compact();
    let mut lost = std::pin::pin!(held.lost());
    assert!(timeout(10 * SECOND, &mut lost).await.is_err());
    model.break_watches(etcd_client_core::Code::NoLeader);
    assert!(timeout(10 * SECOND, &mut lost).await.is_err());
    model.set_outage(true);
    model.break_watches(etcd_client_core::Code::NoLeader);
    model.delete(model.keys("lock/")[0].clone());
    assert!(timeout(10 * SECOND, &mut lost).await.is_err());
    model.set_outage(false);
    assert!(matches!(timeout(60 * SECOND, lost).await, Ok(Error::LockLost)));
}

#[tokio::test(start_paused = true)]
async fn frozen_client_writes_nothing_and_stops() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        let held = recipe.enter(&session).await.expect("free");
        // The lease of the next contender outlives the jump of the clock.
        let next = recipe.spawn(&model.session(HOUR));
        sleep(SECOND).await;

        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let work = std::future::poll_fn(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        });
        let mut scope = Box::pin(held.scope(work));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(scope.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        let lost = held.lost();

        // The client does not run while the server's clock advances, and the next contender gets the lock.
        model.freeze(session.lease());
        advance(TTL + SECOND).await;
        let reported = scope.as_mut().poll(&mut cx);
        assert!(
            matches!(reported, Poll::Ready(Err(Error::SessionExpired(SessionEnd::Lost)))),
            "{reported:?}"
        );
        assert_eq!(polls.load(Ordering::Relaxed), 1, "the future was polled once more");
        drop(scope);
        assert!(matches!(lost.await, Error::SessionExpired(SessionEnd::Lost)));
        next.await.expect("no panic").expect("its turn");
        let guarded = Txn::new().when(held.owned()).then(Put::new("result", "late"));
        assert!(!guarded.bind(&model as &dyn KvService).await.expect("no outage").succeeded());
        assert!(matches!(recipe.enter(&session).await, Err(Error::SessionExpired(_))));
    }
}

/// A thread that did not run for a while wakes before its timers fire: the clock itself is checked before each poll.
#[tokio::test]
async fn scope_checks_the_clock_before_each_poll() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(SECOND);
        let held = recipe.enter(&session).await.expect("free");
        let mut polls = 0;
        let work = std::future::poll_fn(|_| {
            polls += 1;
            Poll::<()>::Pending
        });
        let mut scope = Box::pin(held.scope(work));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(scope.as_mut().poll(&mut cx).is_pending());
        let deadline = session.deadline().expect("it lives");
        while Instant::now() <= deadline {
            std::hint::spin_loop();
        }
        let reported = scope.as_mut().poll(&mut cx);
        assert!(
            matches!(reported, Poll::Ready(Err(Error::SessionExpired(SessionEnd::Lost)))),
            "{reported:?}"
        );
        drop(scope);
        assert_eq!(polls, 1, "the future was polled once more");
    }
}
