//! All recipes under random faults, together with Go's: members killed and stopped, links cut, delayed and held, calls dropped, sessions lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::Client;
use etcd_concurrency::Session;
use etcd_testkit::{
    Direction,
    history::{Action, Edge, Keys, Recorder},
    run::{Run, say},
    schedule::{Step, Verb},
};
use fastrand::Rng;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    load::{Contender, PATIENCE, Pace, Until},
    others,
    recipes::{LockKind, PREFIXES, QueueKind, Recipes as _, ours::Ours},
    sessions,
    settle::settle,
};

/// The contenders, each like a separate process. The first two meet at the double barrier.
const PROCESSES: u64 = 4;

/// Short, so that every longer fault comes close to it.
const TTL: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipes_under_faults() {
    let Some(run) = Run::start("recipes").await else { return };
    expect_deletions(run.recorder());
    let (over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut processes = JoinSet::new();
    for number in 0..PROCESSES {
        let process = Process {
            client: connect(&run.endpoints()),
            recorder: run.recorder().clone(),
            rng: Rng::with_seed(run.settings().seed ^ (number + 1)),
            meets: number < 2,
            over: Arc::clone(&over),
            done: Arc::clone(&done),
        };
        processes.spawn(process.live());
    }
    let others = others::start(&run, &over).await;
    run.late_faults(cut_off()).await;
    let before = done.load(Ordering::Relaxed);
    let more = async {
        while done.load(Ordering::Relaxed) < before + 20 * PROCESSES as usize {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(PATIENCE, more).await.is_err() {
        run.fail("nothing is held, taken or entered once the cluster is well");
    }
    over.store(true, Ordering::Relaxed);
    let sessions = timeout(2 * PATIENCE, processes.join_all()).await.expect("all calls end");
    say(format_args!("{} times something was held, taken, entered or passed", done.load(Ordering::Relaxed)));
    let client = connect(&run.cluster().endpoints());
    timeout(2 * PATIENCE, others.join_all()).await.expect("the others end");
    settle(&client, run.recorder()).await;
    drop(sessions);
    let last = client.put("end", "").await.expect("the cluster is well").header.revision;
    client.close().await;
    run.judge(etcd_testkit::history::Rev(last.get())).await;
}

fn connect(endpoints: &[String]) -> Client {
    Client::builder(endpoints).build().expect("the endpoints are valid")
}

/// Holders delete these keys themselves: the end of one shows nothing about its lease.
fn expect_deletions(recorder: &Recorder) {
    let actions = PREFIXES.map(|name| Action::Delete { keys: Keys::prefix(name) });
    // A session never deletes its tokens. Its lease does, together with the marker of the session.
    recorder.record(Edge::Invoke { op: recorder.op(), actions: actions.to_vec() });
}

/// No member is reachable for long enough to end every session.
fn cut_off() -> Vec<Step> {
    let after = Duration::from_secs(1);
    let cut = |member| Step::new(after, Verb::Blackhole(Direction::Both), member, TTL * 2);
    (0..Run::MEMBERS).map(cut).collect()
}

/// Uses all recipes at once, with one session after the other.
struct Process {
    client: Client,
    recorder: Recorder,
    rng: Rng,
    meets: bool,
    over: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
}

impl Process {
    /// Returns the last session, which is alive.
    async fn live(mut self) -> (Client, Option<Session>) {
        let mut last = None;
        while !self.over.load(Ordering::Relaxed) {
            drop(last.take());
            // No session can be started while no member is reachable.
            let Ok(session) = Session::builder(&self.client).ttl(TTL).await else { continue };
            sessions::granted(&self.recorder, &session);
            tokio::spawn(sessions::follow(self.recorder.clone(), session.clone()));
            // The key is never deleted explicitly: it shows when the server ends the lease.
            let _ = self.client.put(format!("s/{}", session.lease()), "").lease(session.lease()).await;
            self.by(&session).await;
            last = Some(session);
        }
        (self.client, last)
    }

    /// Runs until the session or the run is over.
    async fn by(&mut self, session: &Session) {
        let mut load = JoinSet::new();
        for whats in LockKind::EXCLUSIVE_GROUPS {
            load.spawn(self.contender(session).hold(whats));
        }
        for line in QueueKind::ALL {
            load.spawn(self.contender(session).queue(line));
        }
        load.spawn(self.contender(session).pass());
        if self.meets {
            load.spawn(self.contender(session).meet(Arc::default()));
        }
        while let Some(ended) = load.join_next().await {
            ended.expect("no panic");
        }
    }

    fn contender(&mut self, session: &Session) -> Contender<Ours> {
        Contender {
            recipes: Ours::new(&self.client, session),
            client: self.client.clone(),
            recorder: self.recorder.clone(),
            rng: self.rng.fork(),
            pace: Pace { between: 0..300, holds: 5..200, meets: Duration::from_secs(3) },
            until: Until::Over(Arc::clone(&self.over)),
            turns: 0,
            drops: true,
            done: Arc::clone(&self.done),
        }
    }
}
