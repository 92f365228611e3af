//! Waiting does not poll: the cost of a predecessor's departure is fixed, and waiting itself costs nothing. The earlier
//! algorithm, which polled, is included to show that the tests detect it.

use std::time::Duration;

use etcd_client_core::{Get, Key, Put, Watch, kv::KvService, watch::WatchService};
use tokio::time::{sleep, timeout};

use crate::{
    contest::{HOUR, Recipe, SECOND, TTL},
    model::{Counts, Model},
};

/// One read, and one watch in exchange for another.
const EARLY_DEPARTURE: Counts = Counts { reads: 1, writes: 0, creates: 1, cancels: 1 };

/// Returns the cost of the waiter at the end of `holder, leaver, waiter` after the leaver has gone and an hour has passed.
async fn cost_of_an_early_departure(model: &Model, leave: impl AsyncFnOnce()) -> (Counts, Counts) {
    let before = model.counts();
    leave().await;
    sleep(SECOND).await;
    let cost = model.counts().since(before);
    let before = model.counts();
    sleep(HOUR).await;
    (cost, model.counts().since(before))
}

#[tokio::test(start_paused = true)]
async fn deleted_predecessor_costs_one_read_and_one_watch() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (a, c) = (model.session(TTL), model.session(TTL));
        let held = recipe.enter(&a).await.expect("free");
        model.put("lock/p", "");
        let waiter = recipe.spawn(&c);
        sleep(SECOND).await;
        assert_eq!(model.watches_on("lock/p"), 1);
        let cost = cost_of_an_early_departure(&model, async || model.delete("lock/p")).await;
        assert_eq!(cost, (EARLY_DEPARTURE, Counts::default()), "{recipe:?}");
        let holder = String::from_utf8_lossy(&model.queue("lock/")[0].key).into_owned();
        assert_eq!(model.watches_on(&holder), 1, "it watches the holder now");
        held.leave().await.expect("held");
        waiter.await.expect("no panic").expect("its turn");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_does_not_poll_however_the_predecessor_leaves() {
    // The one that leaves cancels its two watches, and deletes its key unless its lease did.
    let theirs = |writes| Counts { writes, cancels: 2, ..Counts::default() };
    for recipe in Recipe::ALL {
        for (how, theirs) in [("cancelled", theirs(1)), ("revoked", theirs(1)), ("closed", theirs(0))] {
            let model = Model::default();
            let (a, p, c) = (model.session(TTL), model.session(TTL), model.session(TTL));
            let _held = recipe.enter(&a).await.expect("free");
            let leaver = recipe.spawn(&p);
            sleep(SECOND).await;
            let waiter = recipe.spawn(&c);
            sleep(SECOND).await;
            let (cost, later) = cost_of_an_early_departure(&model, async || match how {
                "cancelled" => leaver.abort(),
                "revoked" => model.revoke(p.lease()),
                _ => {
                    let lease = p.lease();
                    p.close().await.expect("no outage");
                    model.revoke(lease);
                }
            })
            .await;
            let total = Counts {
                reads: EARLY_DEPARTURE.reads,
                writes: theirs.writes,
                creates: EARLY_DEPARTURE.creates,
                cancels: EARLY_DEPARTURE.cancels + theirs.cancels,
            };
            assert_eq!((cost, later), (total, Counts::default()), "{recipe:?} {how}");
            assert!(!waiter.is_finished());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_does_not_poll_whenever_the_predecessor_leaves() {
    // Watches are created in this order: the own key, then the predecessor.
    for recipe in Recipe::ALL {
        for skipped in 0..2 {
            let model = Model::default();
            let (a, c) = (model.session(TTL), model.session(TTL));
            let held = recipe.enter(&a).await.expect("free");
            model.put("lock/p", "");
            if skipped == 1 {
                model.before_next_watch(|_| {});
            }
            model.before_next_watch(|model| model.delete("lock/p"));
            let before = model.counts();
            let waiter = recipe.spawn(&c);
            sleep(SECOND).await;
            let cost = model.counts().since(before);
            let expected = Counts { reads: 1, writes: 1, creates: 3, cancels: 1 };
            assert_eq!(cost, expected, "{recipe:?}, {skipped}");
            let before = model.counts();
            sleep(HOUR).await;
            assert_eq!(model.counts(), before);
            held.leave().await.expect("held");
            waiter.await.expect("no panic").expect("its turn");
        }
    }
}

/// The waiting of the Go client before 6d3f172c6e (`client/v3/concurrency/mutex.go`): it looks for its predecessor in the past.
async fn lock_by_polling(model: Model) {
    let mine: Key = "lock/polling".into();
    let my_revision = Put::new(&mine, "").bind(&model as &dyn KvService).await.expect("put").header.revision;
    loop {
        let owner =
            Get::new("lock/").first_create().bind(&model as &dyn KvService).await.expect("get").into_first();
        if owner.is_some_and(|kv| kv.key == mine.as_bytes()) {
            return;
        }
        let before = Get::new("lock/").last_revision().revision(my_revision.get() - 1);
        let before =
            before.bind(&model as &dyn KvService).await.expect("get").into_first().expect("a predecessor");
        let watch = Watch::new(Key::from(before.key)).start_revision(my_revision);
        watch.bind(&model as &dyn WatchService).await.expect("watch").next().await;
    }
}

#[tokio::test(start_paused = true)]
async fn detects_the_polling_algorithm() {
    let model = Model::default();
    let a = model.session(TTL);
    let held = Recipe::Mutex.enter(&a).await.expect("free");
    model.put("lock/p", "");
    let waiter = tokio::spawn(lock_by_polling(model.clone()));
    sleep(SECOND).await;
    let before = model.counts();
    model.delete("lock/p");
    sleep(Duration::from_secs(60)).await;
    let cost = model.counts().since(before);
    assert_ne!(cost, EARLY_DEPARTURE);
    assert!(cost.reads > 10_000, "it asks as fast as it is answered: {cost:?}");
    held.leave().await.expect("held");
    timeout(SECOND, waiter).await.expect("its turn").expect("no panic");
}
