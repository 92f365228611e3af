//! Events that are missed, repeated or unrelated. Wake-ups are counted by the reads that follow.

use etcd_client_core::{Code, Error, ErrorKind, Event, KeyValue};
use tokio::time::sleep;

use crate::{
    contest::{HOUR, Held, Recipe, SECOND, TTL},
    model::{Counts, Model},
};

/// A holder and a waiter behind it, with the holder's key.
async fn one_waits(
    model: &Model,
    recipe: Recipe,
) -> (Held, tokio::task::JoinHandle<Result<Held, etcd_concurrency::Error>>, String) {
    let held = recipe.enter(&model.session(TTL)).await.expect("free");
    let key = model.keys("lock/")[0].clone();
    let waiter = recipe.spawn(&model.session(TTL));
    sleep(SECOND).await;
    (held, waiter, key)
}

#[tokio::test(start_paused = true)]
async fn finds_departures_during_broken_watches() {
    let broken = || Error::new(ErrorKind::Unavailable, "the stream broke");
    for recipe in Recipe::ALL {
        for compacted in [false, true] {
            let model = Model::default();
            let (held, waiter, _) = one_waits(&model, recipe).await;
            model.set_outage(true);
            model.break_watches(broken());
            let lease_keeps_it = model.keys("lock/");
            model.delete(lease_keeps_it[0].clone());
            if compacted {
                model.compact();
            }
            sleep(30 * SECOND).await;
            assert!(!waiter.is_finished());
            model.set_outage(false);
            let next = waiter.await.expect("no panic").expect("its turn");
            assert!(next.fence() > held.fence());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn confirms_after_a_compaction_before_the_watch() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let held = recipe.enter(&model.session(TTL)).await.expect("free");
        model.before_next_watch(|model| {
            model.put("other", "1");
            model.put("other", "2");
            model.compact();
        });
        let before = model.counts();
        let waiter = recipe.spawn(&model.session(TTL));
        sleep(SECOND).await;
        assert!(!waiter.is_finished());
        // Both watches started at a compacted revision: one read, then both again.
        let cost = model.counts().since(before);
        assert!(cost.reads <= 2 && cost.creates <= 4, "{recipe:?} {cost:?}");
        let before = model.counts();
        sleep(HOUR).await;
        assert_eq!(model.counts(), before);
        held.leave().await.expect("held");
        waiter.await.expect("no panic").expect("its turn");
    }
}

#[tokio::test(start_paused = true)]
async fn compaction_of_watches_costs_one_read() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (held, waiter, _) = one_waits(&model, recipe).await;
        let before = model.counts();
        model.break_watches(Code::Compacted);
        sleep(SECOND).await;
        let cost = model.counts().since(before);
        assert!(cost.reads <= 2 && cost.creates <= 3, "{recipe:?} {cost:?}");
        held.leave().await.expect("held");
        waiter.await.expect("no panic").expect("its turn");
    }
}

#[tokio::test(start_paused = true)]
async fn does_not_wait_for_a_predecessor_that_returns() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (held, waiter, key) = one_waits(&model, recipe).await;
        model.delete(key.clone());
        model.put(key, "again");
        let next = waiter.await.expect("no panic").expect("its turn");
        assert!(next.fence() > held.fence());
    }
}

#[tokio::test(start_paused = true)]
async fn puts_wake_no_waiter() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (held, waiter, key) = one_waits(&model, recipe).await;
        let before = model.counts();
        model.put(key.clone(), "a new value");
        let old = KeyValue::new(key.clone(), "").with_revisions(0, 1);
        model.send_spurious(&Event::delete(old));
        model.send_spurious(&Event::put(KeyValue::new(key.clone(), "x").with_revisions(2, 99)));
        model.send_spurious(&Event::delete(KeyValue::new("lock/foreign", "").with_revisions(0, 99)));
        sleep(HOUR).await;
        assert_eq!(model.counts(), before, "{recipe:?}");
        // A repeated event of a departure counts once.
        let gone = KeyValue::new(key, "").with_revisions(0, 1_000);
        held.leave().await.expect("held");
        model.send_spurious(&Event::delete(gone));
        waiter.await.expect("no panic").expect("its turn");
        sleep(SECOND).await;
        let cost = Counts { writes: 1, reads: 1, creates: 0, cancels: 2 };
        let mut since = model.counts().since(before);
        // The guard was dropped immediately, which released the lock.
        since.writes -= 1;
        assert_eq!(since, cost, "{recipe:?}");
    }
}
