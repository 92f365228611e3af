//! One departure wakes one waiter, in the order of arrival, with the number of requests that the formula gives.

use etcd_concurrency::Session;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    contest::{HOUR, Recipe, SECOND, TTL},
    model::{Counts, Model},
};

const WAITERS: usize = 100;

/// N entries and N departures. Each waiter creates two watches, reads once and cancels both.
fn formula(contenders: usize, early: usize) -> Counts {
    let waiters = contenders - 1;
    Counts {
        writes: 2 * contenders,
        reads: waiters + early,
        creates: 2 * waiters + early,
        cancels: 2 * waiters + early,
    }
}

#[tokio::test(start_paused = true)]
async fn hundred_waiters_match_the_cost_formula() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let held = recipe.enter(&model.session(TTL)).await.expect("free");
        let (order, mut turns) = mpsc::unbounded_channel();
        for number in 0..WAITERS {
            let (session, order) = (model.session(TTL), order.clone());
            tokio::spawn(async move {
                let held = recipe.enter(&session).await.expect("its turn");
                order.send((number, held.fence())).expect("counted");
                sleep(SECOND).await;
                held.leave().await.expect("held");
            });
            sleep(SECOND).await;
        }
        sleep(HOUR).await;
        assert!(turns.is_empty());
        held.leave().await.expect("held");
        let mut last = None;
        for expected in 0..WAITERS {
            let (number, fence) = turns.recv().await.expect("a turn");
            assert_eq!(number, expected, "in the order of arrival");
            assert!(last < Some(fence), "fences grow");
            last = Some(fence);
            // One contender holds: the next one arrives after it has left.
            sleep(SECOND / 2).await;
            assert!(turns.is_empty());
        }
        sleep(2 * SECOND).await;
        assert_eq!(model.counts(), formula(WAITERS + 1, 0), "{recipe:?}");
        assert_eq!(model.most_woken(), 1, "a departure wakes one waiter");
        assert!(model.keys("").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn early_departure_adds_one_read_and_one_watch() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let held = recipe.enter(&model.session(TTL)).await.expect("free");
        let sessions: Vec<Session> = (0..WAITERS).map(|_| model.session(TTL)).collect();
        let mut waiters = Vec::new();
        for session in &sessions {
            waiters.push(recipe.spawn(session));
            sleep(SECOND).await;
        }
        // Every third waiter gives up, but not the last one.
        let mut early = 0;
        for number in (0..WAITERS - 1).step_by(3) {
            waiters[number].abort();
            sleep(SECOND).await;
            early += 1;
        }
        held.leave().await.expect("held");
        for (number, waiter) in waiters.into_iter().enumerate() {
            if number % 3 == 0 && number != WAITERS - 1 {
                assert!(waiter.await.expect_err("it gave up").is_cancelled());
            } else {
                waiter.await.expect("no panic").expect("its turn").leave().await.expect("held");
            }
        }
        sleep(SECOND).await;
        // The waiters that gave up have not sent a read.
        let mut expected = formula(WAITERS + 1, early);
        expected.reads -= early;
        assert_eq!(model.counts(), expected, "{recipe:?}");
        assert!(model.keys("").is_empty());
    }
}
