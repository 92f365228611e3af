//! A lock under faults: at most one contender holds it at a time, in the order of the fences.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::Client;
use etcd_concurrency::{Guard, Mutex, Session};
use etcd_testkit::{
    Direction,
    history::{Action, Edge, Keys, Recorder, Rev, Share},
    run::{Run, say},
    schedule::{Step, Verb},
};
use fastrand::Rng;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::sessions;

const CONTENDERS: u64 = 6;

/// Short, so that every longer fault comes close to it.
const TTL: Duration = Duration::from_secs(4);

/// The range of hold times, in milliseconds. Some exceed the end of the session, unless the holder is notified.
const HOLDS: std::ops::Range<u64> = 5..400;

/// The time limit of all waits of a run.
const PATIENCE: Duration = Duration::from_secs(60);

const NAME: &str = "job";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutex_excludes_under_faults() {
    let Some(run) = Run::start("locks").await else { return };
    expect_deletions(run.recorder());
    let client = connect(&run);
    let (over, ends) = watch::channel(false);
    let held = Arc::new(AtomicUsize::new(0));
    let mut contenders = JoinSet::new();
    for number in 0..CONTENDERS {
        let rng = Rng::with_seed(run.settings().seed ^ (number + 1));
        // Each contender has its own client, like a separate process.
        let (client, recorder, ends) = (connect(&run), run.recorder().clone(), ends.clone());
        contenders.spawn(Contender { client, recorder, ends, rng, held: Arc::clone(&held) }.contend());
    }
    run.late_faults(cut_off()).await;
    let before = held.load(Ordering::Relaxed);
    let more = async {
        while held.load(Ordering::Relaxed) < before + CONTENDERS as usize {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(PATIENCE, more).await.is_err() {
        run.fail("the lock cannot be acquired although the cluster is healthy");
    }
    over.send_replace(true);
    contenders.join_all().await;
    say(format_args!("the lock was held {} times", held.load(Ordering::Relaxed)));
    let end = client.put("end", "").await.expect("the cluster is well").header.revision;
    client.close().await;
    run.judge(Rev(end.get())).await;
}

fn connect(run: &Run) -> Client {
    Client::builder(run.endpoints()).build().expect("the endpoints are valid")
}

/// Holders delete the keys of the lock themselves: the end of such a key shows nothing about its lease.
fn expect_deletions(recorder: &Recorder) {
    let actions = vec![Action::Delete { keys: Keys::prefix(format!("{NAME}/")) }];
    recorder.record(Edge::Invoke { op: recorder.op(), actions });
}

/// No member is reachable for long enough to end every session.
fn cut_off() -> Vec<Step> {
    let after = Duration::from_secs(1);
    let cut = |member| Step::new(after, Verb::Blackhole(Direction::Both), member, TTL * 2);
    (0..Run::MEMBERS).map(cut).collect()
}

/// Takes the lock repeatedly, with one session after the other.
struct Contender {
    client: Client,
    recorder: Recorder,
    ends: watch::Receiver<bool>,
    rng: Rng,
    held: Arc<AtomicUsize>,
}

impl Contender {
    async fn contend(mut self) {
        while !*self.ends.borrow() {
            // No session can be started while no member is reachable.
            let Ok(session) = Session::builder(&self.client).ttl(TTL).await else { continue };
            sessions::granted(&self.recorder, &session);
            let following = tokio::spawn(sessions::follow(self.recorder.clone(), session.clone()));
            // The key is never deleted explicitly: it shows when the server ends the lease.
            let _ = self.client.put(format!("s/{}", session.lease()), "").lease(session.lease()).await;
            self.by(&session).await;
            let (op, lease) = (self.recorder.op(), sessions::lease(&session));
            if session.ended().is_none() {
                self.recorder.record(Edge::Invoke { op, actions: vec![Action::Revoke { lease }] });
            }
            // If this fails, the lease expires.
            let _ = session.close().await;
            following.await.expect("no panic");
        }
        self.client.close().await;
    }

    /// Runs until the session or the run is over.
    async fn by(&mut self, session: &Session) {
        let mutex = Mutex::new(session, NAME);
        while session.ended().is_none() && !*self.ends.borrow() {
            // Times out if the holder is disconnected. The end of the session is noticed immediately.
            if let Ok(guard) = mutex.try_lock_for(TTL).await {
                self.hold(guard).await;
            }
        }
    }

    async fn hold(&mut self, guard: Guard) {
        let hold = self.recorder.hold();
        self.recorder.record(Edge::LockAcquired {
            hold,
            name: NAME.to_owned(),
            fence: Rev(guard.fence().get()),
            lease: sessions::lease(guard.session()),
            share: Share::Alone,
        });
        self.held.fetch_add(1, Ordering::Relaxed);
        let work = sleep(Duration::from_millis(self.rng.u64(HOLDS)));
        tokio::select! {
            end = guard.lost() => {
                self.recorder.record(Edge::LockLost { hold, reason: end.to_string() });
            }
            () = work => {
                self.recorder.record(Edge::Unlock { hold });
                // If this fails, the session releases the lock.
                let _ = guard.unlock().await;
            }
        }
    }
}
