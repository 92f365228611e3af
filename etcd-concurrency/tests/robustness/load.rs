//! The load of contenders on the recipes, and its record.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Outcome};
use etcd_concurrency::{Barrier, Error};
use etcd_testkit::history::{Edge, LeaseId, OpId, Recorder, Rev, Value};
use fastrand::Rng;
use tokio::time::{sleep, timeout};

use crate::recipes::{Held as _, LockKind, MEETING, Participant as _, QueueKind, Recipes};

/// The time limit of all calls of a run, which only a failing run reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The ranges of the time before the next operation and of the hold time, in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    pub(crate) between: Range<u64>,
    pub(crate) holds: Range<u64>,
    /// The time that a participant of a double barrier waits for the other.
    pub(crate) meets: Duration,
}

/// The end of a contender's work.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    Times(usize),
    Over(Arc<AtomicBool>),
}

impl Until {
    fn reached(&self, done: usize) -> bool {
        match self {
            Self::Times(times) => done >= *times,
            Self::Over(over) => over.load(Ordering::Relaxed),
        }
    }
}

/// One contender that repeats one kind of operation.
#[derive(Clone, Debug)]
pub(crate) struct Contender<R> {
    pub(crate) recipes: R,
    pub(crate) client: Client,
    pub(crate) recorder: Recorder,
    pub(crate) rng: Rng,
    pub(crate) pace: Pace,
    pub(crate) until: Until,
    pub(crate) turns: usize,
    /// Drops a third of all futures before they are ready.
    pub(crate) drops: bool,
    /// The number of completed holds, items, rounds and passes.
    pub(crate) done: Arc<AtomicUsize>,
}

impl<R: Recipes> Contender<R> {
    /// Returns whether there is another turn, after waiting for its time.
    async fn turn(&mut self) -> bool {
        if self.until.reached(self.turns) || self.recipes.session().ended().is_some() {
            return false;
        }
        self.turns += 1;
        sleep(Duration::from_millis(self.rng.u64(self.pace.between.clone()))).await;
        true
    }

    /// Returns the result, or `None` if the future was dropped.
    async fn run<T>(&mut self, act: impl Future<Output = T>) -> Option<T> {
        // A contender behind a key without a holder would wait forever.
        let longest = if R::RESOLVES_OUTCOMES { PATIENCE } else { PATIENCE / 6 };
        self.within(longest, act).await
    }

    async fn within<T>(&mut self, longest: Duration, act: impl Future<Output = T>) -> Option<T> {
        let dropped = self.drops && self.rng.u8(0..3) == 0;
        // Most calls in flight take a few milliseconds, some as long as a fault.
        let drawn = if self.rng.bool() { self.rng.u64(0..20) } else { self.rng.u64(0..2_000) };
        let lasts = if dropped { Duration::from_millis(drawn).min(longest) } else { longest };
        // Calls without a session do not end with it.
        tokio::select! {
            biased;
            result = timeout(lasts, act) => result.ok(),
            _ = self.recipes.session().lost() => None,
        }
    }

    /// Acquires and releases it.
    pub(crate) async fn hold(mut self, whats: &'static [LockKind]) {
        while self.turn().await {
            let (what, number) = (whats[self.rng.usize(..whats.len())], self.rng.u64(..1_000_000));
            let recipes = self.recipes.clone();
            if let Some(Ok(held)) = self.run(recipes.take(what, number)).await {
                self.held(what, held).await;
            }
        }
    }

    async fn held(&mut self, what: LockKind, held: R::Held) {
        let hold = self.recorder.hold();
        self.recorder.record(Edge::LockAcquired {
            hold,
            name: what.name().to_owned(),
            fence: Rev(held.fence()),
            lease: LeaseId(self.recipes.session().lease().get()),
            share: what.share(),
        });
        self.done.fetch_add(1, Ordering::Relaxed);
        let work = sleep(Duration::from_millis(self.rng.u64(self.pace.holds.clone())));
        tokio::select! {
            end = held.lost() => {
                self.recorder.record(Edge::LockLost { hold, reason: end.to_string() });
            }
            () = work => {
                self.recorder.record(Edge::Unlock { hold });
                // If this fails, the session releases it.
                let _ = self.run(held.give_back()).await;
            }
        }
    }

    /// Enqueues an item, or takes one.
    pub(crate) async fn queue(mut self, line: QueueKind) {
        // As many dequeues as enqueues: some find nothing, others take the items that those left.
        while self.turn().await {
            if self.rng.bool() {
                self.put(line).await;
            } else {
                self.pick(line).await;
            }
        }
    }

    async fn put(&mut self, line: QueueKind) {
        let op = self.recorder.op();
        let item = format!("i{op}");
        let (queue, value) = (line.name().to_owned(), Value::of(item.as_bytes()));
        self.recorder.record(Edge::Enqueue { op, queue, item: value });
        let recipes = self.recipes.clone();
        let put = self.run(recipes.enqueue(line, item)).await;
        self.assert_known(line, failure(put.as_ref())).await;
        self.recorder.record(match put {
            Some(Ok(revision)) => Edge::Ok { op, revision: Rev(revision), changed: Some(true) },
            Some(Err(error)) => failed(op, &error),
            None => dropped(op),
        });
    }

    /// While the session is alive, only a dropped call has an unknown outcome. The server may have ended the lease early, which the
    /// session notices by its deadline.
    async fn assert_known(&self, line: QueueKind, error: Option<&Error>) {
        let Some(error) = error else { return };
        if error.outcome() == Outcome::NotApplied || !line.is_known() || !R::RESOLVES_OUTCOMES {
            return;
        }
        let session = self.recipes.session();
        let ended = timeout(session.ttl(), session.lost()).await;
        assert!(ended.is_ok(), "unknown outcome although the session is alive: {error}");
    }

    /// Takes one item, if there is one.
    pub(crate) async fn pick(&mut self, line: QueueKind) -> bool {
        let op = self.recorder.op();
        self.recorder.record(Edge::Dequeue { op, queue: line.name().to_owned() });
        let recipes = self.recipes.clone();
        let taken = self.run(recipes.dequeue(line)).await;
        self.assert_known(line, failure(taken.as_ref())).await;
        let found = matches!(taken, Some(Ok(Some(_))));
        self.done.fetch_add(usize::from(found), Ordering::Relaxed);
        self.recorder.record(match taken {
            Some(Ok(item)) => Edge::Dequeued { op, item: item.map(|item| Value::of(item.as_bytes())) },
            Some(Err(error)) => failed(op, &error),
            None => dropped(op),
        });
        found
    }

    /// Meets the other participant until one of the two is done.
    pub(crate) async fn meet(mut self, over: Arc<AtomicBool>) {
        while self.turn().await && !over.load(Ordering::Relaxed) {
            self.meet_once().await;
        }
        over.store(true, Ordering::Relaxed);
    }

    async fn meet_once(&mut self) {
        let hold = self.recorder.hold();
        self.recorder.record(Edge::Entering { hold, name: MEETING.0.to_owned(), of: MEETING.1 });
        let (recipes, meets) = (self.recipes.clone(), self.pace.meets);
        let Some(Ok(inside)) = self.within(meets, recipes.enter()).await else {
            self.recorder.record(Edge::Withdrawn { hold });
            return;
        };
        self.recorder.record(Edge::Entered { hold });
        self.done.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(self.rng.u64(self.pace.holds.clone()))).await;
        self.recorder.record(Edge::Leaving { hold });
        let left = self.within(meets, inside.leave()).await;
        self.recorder.record(match left {
            Some(Ok(())) => Edge::Left { hold },
            _ => Edge::Withdrawn { hold },
        });
    }

    /// Waits for the barrier.
    pub(crate) async fn pass(mut self) {
        while self.turn().await {
            let (op, name) = (self.recorder.op(), LockKind::Barrier.name());
            self.recorder.record(Edge::Passing { op, name: name.to_owned() });
            let barrier = Barrier::new(&self.client, name);
            if let Some(Ok(())) = self.run(barrier.wait()).await {
                self.recorder.record(Edge::Passed { op });
            }
        }
    }
}

/// Returns the record of a write that failed with an error.
fn failed(op: OpId, error: &Error) -> Edge {
    let reason = error.to_string();
    match error.outcome() {
        Outcome::NotApplied => Edge::NotApplied { op, reason },
        _ => Edge::Unknown { op, reason },
    }
}

fn dropped(op: OpId) -> Edge {
    Edge::Unknown { op, reason: "the future was dropped".to_owned() }
}

/// Returns the error of a call that was not dropped.
fn failure<T>(outcome: Option<&Result<T, Error>>) -> Option<&Error> {
    outcome.and_then(|outcome| outcome.as_ref().err())
}
