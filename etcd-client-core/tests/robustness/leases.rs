//! Leases under faults: each is kept as long as a member can be reached, and called lost before the server ends it.

use std::time::Duration;

use etcd_client_core::{Client, Error, lease::LeaseKeeper};
use etcd_testkit::{
    Direction,
    history::{Action, Edge, LeaseId, Nanos, Recorder, Value},
    run::{Run, say},
    schedule::{Step, Verb},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    edges::{failure, revision},
    watches::connect,
    writers::Writing,
};

const LEASES: usize = 12;

/// Short, so that every fault that lasts comes near it.
const TTL: Duration = Duration::from_secs(4);

/// How often the deadline of a lease is looked at.
const LOOK: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_under_faults() {
    let Some(run) = Run::start("leases").await else { return };
    let (writing, client) = (Writing::new(connect(&run), run.recorder().clone()), connect(&run));
    let (over, ends) = watch::channel(false);
    let mut keepers = JoinSet::new();
    for number in 0..LEASES {
        let (client, recorder, ends) = (client.clone(), run.recorder().clone(), ends.clone());
        keepers.spawn(Keeper { number, client, recorder, ends }.keep());
    }
    run.faults(cut_off()).await;
    over.send_replace(true);
    let lost: usize = keepers.join_all().await.into_iter().sum();
    say(format_args!("{LEASES} leases were lost {lost} times"));
    assert!(lost >= LEASES, "each is lost while no member can be reached");
    let end = writing.mark_end().await.expect("the cluster is well");
    client.close().await;
    run.judge(end).await;
}

/// No member can be reached for so long that every lease ends.
fn cut_off() -> Vec<Step> {
    let after = Duration::from_secs(1);
    let cut = |member| Step::new(after, Verb::Blackhole(Direction::Both), member, TTL * 2);
    (0..Run::MEMBERS).map(cut).collect()
}

/// Keeps one lease alive, and takes another one when it is lost.
struct Keeper {
    number: usize,
    client: Client,
    recorder: Recorder,
    ends: watch::Receiver<bool>,
}

impl Keeper {
    /// How many were lost.
    async fn keep(self) -> usize {
        let mut lost = 0;
        while !*self.ends.borrow() {
            // While no member can be reached there is none to be had.
            let Ok(kept) = self.client.lease().grant(TTL).keep_alive().await else { continue };
            let lease = LeaseId(kept.id().get());
            // The attempt that was answered may have been sent later than the first one.
            let sent = self.moment(kept.deadline()).before(kept.ttl());
            self.recorder.record(Edge::LeaseGranted { lease, sent, ttl_ms: millis(kept.ttl()) });
            if self.attach(&kept).await.is_ok() && self.watch_over(&kept).await {
                lost += 1;
                continue;
            }
            self.recorder
                .record(Edge::Invoke { op: self.recorder.op(), actions: vec![Action::Revoke { lease }] });
            // It ends by itself where that fails.
            let _ = kept.revoke().await;
        }
        lost
    }

    /// Puts a key whose end shows when the server ends the lease.
    async fn attach(&self, kept: &LeaseKeeper) -> Result<(), Error> {
        let op = self.recorder.op();
        let (key, value) = (format!("l/{}", self.number), format!("v{op}"));
        let lease = Some(LeaseId(kept.id().get()));
        let action = Action::Put { key: key.clone(), value: Value::of(value.as_bytes()), lease };
        self.recorder.record(Edge::Invoke { op, actions: vec![action] });
        let put = self.client.put(key, value).lease(kept.id()).await;
        self.recorder.record(match &put {
            Ok(put) => Edge::Ok { op, revision: revision(put.header.revision), changed: Some(true) },
            Err(error) => failure(op, error),
        });
        put.map(drop)
    }

    /// Until it is lost, or the run is over: whether it was lost.
    async fn watch_over(&self, kept: &LeaseKeeper) -> bool {
        let lease = LeaseId(kept.id().get());
        let (mut lost, mut ends) = (std::pin::pin!(kept.lost()), self.ends.clone());
        let mut deadline = kept.deadline();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // What is known of a renewal is known before the loss that follows from it.
                biased;
                _ = look.tick() => {
                    let now = kept.deadline();
                    if now > deadline {
                        deadline = now;
                        let sent = self.moment(deadline).before(kept.ttl());
                        self.recorder.record(Edge::KeepaliveAcked { lease, sent, ttl_ms: millis(kept.ttl()) });
                    }
                }
                end = &mut lost => {
                    self.recorder.record(Edge::LeaseLost { lease, reason: end.to_string() });
                    return true;
                }
                _ = ends.wait_for(|ends| *ends) => return false,
            }
        }
    }

    /// A moment on the recorder's clock.
    fn moment(&self, at: Instant) -> Nanos {
        let now = Instant::now();
        match at.checked_duration_since(now) {
            Some(after) => self.recorder.now().after(after),
            None => self.recorder.now().before(now - at),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
