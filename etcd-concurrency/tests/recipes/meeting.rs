//! Barriers and double barriers.

use std::{num::NonZeroUsize, time::Duration};

use etcd_client_core::Code;
use etcd_concurrency::{Barrier, DoubleBarrier, Error, double_barrier::DoubleBarrierGuard};
use tokio::time::{sleep, timeout};

use crate::{
    contest::{HOUR, SECOND, TTL},
    model::{Fault, Model},
};

#[tokio::test(start_paused = true)]
async fn barrier_blocks_until_released() {
    let model = Model::default();
    let barrier = Barrier::new(model.store(), "barrier");
    barrier.wait().await.expect("it is not up");
    model.put("barrier-0", "another");
    barrier.wait().await.expect("it is not up");
    barrier.hold().await.expect("free");
    assert!(matches!(barrier.hold().await, Err(Error::KeyExists)));
    let mut waiters: Vec<_> = (0..5)
        .map(|_| {
            let barrier = barrier.clone();
            tokio::spawn(async move { barrier.wait().await })
        })
        .collect();
    sleep(SECOND).await;
    model.break_watches(Code::Compacted);
    sleep(SECOND).await;
    assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
    barrier.release().await.expect("up");
    for waiter in waiters.drain(..) {
        timeout(SECOND, waiter).await.expect("released").expect("no panic").expect("no error");
    }
}

#[tokio::test(start_paused = true)]
async fn barrier_of_a_session_ends_with_it() {
    let model = Model::default();
    let session = model.session(TTL);
    let barrier = Barrier::new(model.store(), "barrier");
    let _held = barrier.hold_with_session(&session).await.expect("free");
    assert!(matches!(barrier.hold_with_session(&session).await, Err(Error::KeyExists)));
    assert!(matches!(barrier.hold_with_session(&model.session(TTL)).await, Err(Error::KeyExists)));
    assert_eq!(model.keys("").len(), 1);
    model.freeze(session.lease());
    timeout(2 * TTL, barrier.wait()).await.expect("expired").expect("no error");
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("not zero")
}

type Entering = tokio::task::JoinHandle<Result<DoubleBarrierGuard, Error>>;

fn enter(model: &Model, number: usize, ttl: Duration) -> (Entering, etcd_concurrency::Session) {
    let session = model.session(ttl);
    let barrier = DoubleBarrier::new(&session, "meeting", count(number));
    (tokio::spawn(async move { barrier.enter().await }), session)
}

#[tokio::test(start_paused = true)]
async fn ten_enter_and_leave_together() {
    let model = Model::default();
    let mut entering = Vec::new();
    for _ in 0..9 {
        entering.push(enter(&model, 10, TTL).0);
        sleep(SECOND).await;
    }
    assert!(entering.iter().all(|one| !one.is_finished()));
    entering.push(enter(&model, 10, TTL).0);
    let mut inside = Vec::new();
    for one in entering {
        inside.push(timeout(SECOND, one).await.expect("all are here").expect("no panic").expect("room"));
    }
    assert!(matches!(enter(&model, 10, TTL).0.await.expect("no panic"), Err(Error::CapacityExceeded)));
    assert_eq!(model.keys("meeting/waiters/").len(), 10, "the extra participant leaves no key");
    let last = inside.remove(4);
    let leaving: Vec<_> = inside.into_iter().map(|one| tokio::spawn(one.leave())).collect();
    sleep(SECOND).await;
    assert!(leaving.iter().all(|one| !one.is_finished()));
    last.leave().await.expect("inside");
    for one in leaving {
        timeout(SECOND, one).await.expect("all are gone").expect("no panic").expect("inside");
    }
    assert!(model.keys("").is_empty());
    // The next round.
    let (one, two) = (enter(&model, 2, TTL).0, enter(&model, 2, TTL).0);
    let (one, two) =
        (one.await.expect("no panic").expect("room"), two.await.expect("no panic").expect("room"));
    let (one, two) = tokio::join!(one.leave(), two.leave());
    one.and(two).expect("inside");
}

#[tokio::test(start_paused = true)]
async fn extra_participants_are_rejected_until_the_round_ends() {
    let model = Model::default();
    let (one, two) = (enter(&model, 2, TTL).0, enter(&model, 2, TTL).0);
    let (one, two) =
        (one.await.expect("no panic").expect("room"), two.await.expect("no panic").expect("room"));
    let leaving = tokio::spawn(two.leave());
    sleep(SECOND).await;
    assert_eq!(model.keys("meeting/waiters/").len(), 1, "one has left");
    assert!(matches!(enter(&model, 2, TTL).0.await.expect("no panic"), Err(Error::CapacityExceeded)));
    one.leave().await.expect("inside");
    timeout(SECOND, leaving).await.expect("all are gone").expect("no panic").expect("inside");
    // A `ready` that was left behind belongs to no round.
    model.put("meeting/ready", "");
    let (one, _alive) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    assert!(!one.is_finished());
    let two = enter(&model, 2, TTL).0.await.expect("no panic").expect("room");
    let one = timeout(SECOND, one).await.expect("ready").expect("no panic").expect("room");
    let (one, two) = tokio::join!(one.leave(), two.leave());
    one.and(two).expect("inside");
}

#[tokio::test(start_paused = true)]
async fn participant_with_lost_response_takes_part() {
    let model = Model::default();
    model.next_writes([Fault::AnswerLost]);
    let (one, _one) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    model.next_writes([Fault::AnswerLost, Fault::AnswerLost]);
    let (two, _two) = enter(&model, 2, TTL);
    let (one, two) =
        (one.await.expect("no panic").expect("room"), two.await.expect("no panic").expect("room"));
    let (one, two) = tokio::join!(one.leave(), two.leave());
    one.and(two).expect("inside");
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn late_ready_starts_no_other_round() {
    let model = Model::default();
    let (one, _one) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    let (two, _two) = enter(&model, 2, TTL);
    // The entry is answered, and the `ready` after it arrives when its author has given up.
    model.next_writes([Fault::None, Fault::Hangs(60 * SECOND)]);
    sleep(SECOND).await;
    two.abort();
    one.abort();
    sleep(SECOND).await;
    let (alone, _alone) = enter(&model, 2, HOUR);
    sleep(120 * SECOND).await;
    assert!(!alone.is_finished(), "it entered alone");
    assert!(model.keys("meeting/ready").is_empty());
}

#[tokio::test(start_paused = true)]
async fn expired_participants_do_not_block_leaving() {
    let model = Model::default();
    let (first, dying) = enter(&model, 3, TTL);
    sleep(SECOND).await;
    let (second, _two) = enter(&model, 3, TTL);
    sleep(SECOND).await;
    let (third, _three) = enter(&model, 3, TTL);
    let _first = first.await.expect("no panic").expect("room");
    let (second, third) =
        (second.await.expect("no panic").expect("room"), third.await.expect("no panic").expect("room"));
    let leaving = [tokio::spawn(second.leave()), tokio::spawn(third.leave())];
    sleep(SECOND).await;
    assert!(leaving.iter().all(|one| !one.is_finished()));
    model.freeze(dying.lease());
    for one in leaving {
        timeout(2 * TTL, one).await.expect("all are gone").expect("no panic").expect("inside");
    }
}

#[tokio::test(start_paused = true)]
async fn old_ready_starts_no_round_after_a_compaction() {
    let model = Model::default();
    // Left behind by a round whose participants died.
    model.put("meeting/ready", "");
    let (one, _one) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    model.set_outage(true);
    model.break_watches(Code::NoLeader);
    model.put("other", "1");
    model.put("other", "2");
    model.compact();
    let reads = model.counts().reads;
    model.set_outage(false);
    sleep(60 * SECOND).await;
    assert!(model.counts().reads > reads, "it read `ready` after the compaction");
    assert!(!one.is_finished(), "it entered alone");
    let (two, _two) = enter(&model, 2, TTL);
    let _two = timeout(SECOND, two).await.expect("both are here").expect("no panic").expect("room");
    let _one = timeout(SECOND, one).await.expect("ready").expect("no panic").expect("room");
}

#[tokio::test(start_paused = true)]
async fn last_to_leave_does_not_wait_for_the_next_round() {
    let model = Model::default();
    let (one, _one) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    let (two, _two) = enter(&model, 2, TTL);
    let (one, two) =
        (one.await.expect("no panic").expect("room"), two.await.expect("no panic").expect("room"));
    let leaving = tokio::spawn(one.leave());
    sleep(SECOND).await;
    assert!(!leaving.is_finished(), "the other one is inside");
    // Go's participants do not check whether a round is running.
    model.put("meeting/waiters/go", "");
    let _two = tokio::spawn(two.leave());
    timeout(SECOND, leaving).await.expect("all who entered are gone").expect("no panic").expect("inside");
    assert_eq!(model.keys("meeting/"), ["meeting/waiters/go"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_participant_is_notified_of_its_lost_key() {
    let model = Model::default();
    let (one, session) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    model.revoke(session.lease());
    assert!(matches!(one.await.expect("no panic"), Err(Error::LockLost)));
    let (two, _session) = enter(&model, 2, TTL);
    sleep(SECOND).await;
    model.put("other", "");
    model.compact();
    model.set_outage(true);
    model.break_watches(Code::NoLeader);
    model.put("meeting/ready", "");
    model.compact();
    sleep(SECOND).await;
    model.set_outage(false);
    let _inside = timeout(60 * SECOND, two).await.expect("ready").expect("no panic").expect("room");
}
