//! Requests that are applied late: members are stopped and links delayed under all recipes, and no copy of an entry may be applied after
//! its owner abandoned it. The earlier algorithm ([`sweeping`](crate::recipes::sweeping)), which allowed this, fails the same runs.
//!
//! By default there is one run of each kind. `ETCD_LATE_RUNS=10` has ten of each, with longer delays, and takes about an hour.

use std::{
    env,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use etcd_client_core::Client;
use etcd_concurrency::{Session, session::Tokens};
use etcd_testkit::{
    Direction, Fault,
    check::Rule,
    history::{Action, Edge, Keys, Rev},
    run::{Run, say},
    schedule::{Step, Verb},
};
use fastrand::Rng;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    load::{Contender, PATIENCE, Pace, Until},
    recipes::{LockKind, PREFIXES, QueueKind, Recipes, ours::Ours, sweeping::Sweeping},
    sessions,
    settle::settle,
};

/// The contenders of each recipe, and the number of turns of each: 30 operations.
const CONTENDERS: usize = 6;
const TURNS: usize = 5;

/// No session is lost in these runs.
const TTL: Duration = Duration::from_secs(60);

/// The cause of late requests.
#[derive(Clone, Copy, Debug)]
enum Late {
    /// One of three members is stopped.
    Stopped { leader: bool },
    /// Requests to one of two endpoints are delayed.
    Delayed(u64),
}

impl Late {
    const SHORT: [Self; 2] = [Self::Stopped { leader: false }, Self::Delayed(4)];
    const ALL: [Self; 6] = [
        Self::Stopped { leader: false },
        Self::Stopped { leader: true },
        Self::Delayed(2),
        Self::Delayed(4),
        Self::Delayed(9),
        Self::Delayed(30),
    ];
}

/// Returns the number of runs of each kind.
fn runs() -> Option<usize> {
    let text = env::var("ETCD_LATE_RUNS").ok()?;
    Some(text.parse().expect("ETCD_LATE_RUNS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_copies_leave_nothing() {
    under("late-copies", false, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_copies_of_dropped_calls_leave_nothing() {
    under("late-copies-dropped", true, false).await;
}

/// With sessions that keep no tokens, dropped calls included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_copies_under_leases_of_their_own_leave_nothing() {
    under("late-copies-leases", true, true).await;
}

async fn under(scenario: &str, drops: bool, leases: bool) {
    let Some(run) = Run::start(scenario).await else { return };
    let mut round = Round::of(&run, drops);
    round.leases = leases;
    for _ in 0..runs().unwrap_or(1) {
        for late in if runs().is_some() { Late::ALL.as_slice() } else { &Late::SHORT } {
            round.happen::<Ours>(*late).await;
        }
    }
    let last = round.last().await;
    run.judge(last).await;
}

/// The same runs detect an algorithm that allows late copies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_copies_detect_the_unprotected_algorithm() {
    let Some(run) = Run::start("late-copies-sweeping").await else { return };
    let mut round = Round::of(&run, false);
    // Most runs find a violation, but a late copy needs an early one.
    for _ in 0..runs().unwrap_or(3) {
        for late in Late::SHORT {
            round.happen::<Sweeping>(late).await;
        }
    }
    let last = round.last().await;
    let (verdict, history, path) = run.verdict(last).await;
    let found: Vec<Rule> = verdict.violations().iter().map(|violation| violation.rule).collect();
    let count = |wanted| found.iter().filter(|rule| **rule == wanted).count();
    let (ownerless, items) = (count(Rule::PlaceUnowned), count(Rule::ItemTwice));
    say(format_args!("{ownerless} keys without an owner, {items} items twice, {} violations", found.len()));
    assert!(ownerless > 0 && items > 0, "{}: {}", path.display(), verdict.report(&history));
}

/// Runs one after the other on one cluster.
struct Round<'r> {
    run: &'r Run,
    rng: Rng,
    drops: bool,
    /// Each entry has its own lease.
    leases: bool,
    client: Client,
}

impl<'r> Round<'r> {
    fn of(run: &'r Run, drops: bool) -> Self {
        // The sessions release their locks, and the remaining keys are checked separately.
        let actions = PREFIXES.map(|name| Action::Delete { keys: Keys::prefix(name) }).to_vec();
        run.recorder().record(Edge::Invoke { op: run.recorder().op(), actions });
        let client = Client::builder(run.cluster().endpoints()).build().expect("the endpoints are valid");
        Self { run, rng: Rng::with_seed(run.settings().seed), drops, leases: false, client }
    }

    /// Delays requests under the load of all recipes, and records when everything has settled.
    async fn happen<R: Recipes>(&mut self, late: Late) {
        let began = Instant::now();
        let member = self.member(late).await;
        let mut contenders = Vec::new();
        for _ in 0..CONTENDERS {
            contenders.push(self.contender(late, member).await);
        }
        let mut load = JoinSet::new();
        for (client, session) in &contenders {
            self.spawn::<R>(&mut load, client, session);
        }
        // Two participants meet while both have turns left.
        for pair in contenders.chunks(2).take(1) {
            let over = Arc::new(AtomicBool::new(false));
            for (client, session) in pair {
                load.spawn(self.one::<R>(client, session).meet(Arc::clone(&over)));
            }
        }
        self.during(late, member, &contenders[0], async {
            while let Some(ended) = load.join_next().await {
                ended.expect("no panic")
            }
        })
        .await;
        settle(&self.client, self.run.recorder()).await;
        if self.leases {
            self.nothing_is_left().await;
        }
        self.drain(&contenders[0]).await;
        say(format_args!("{late:?} of member {member}, drops: {}, {:.1?}", self.drops, began.elapsed()));
        for (client, session) in contenders {
            let (op, lease) = (self.run.recorder().op(), sessions::lease(&session));
            self.run.recorder().record(Edge::Invoke { op, actions: vec![Action::Revoke { lease }] });
            session.close().await.expect("the cluster is well");
            client.close().await;
        }
    }

    async fn member(&mut self, late: Late) -> usize {
        let leader = self.run.leader().await;
        match late {
            Late::Stopped { leader: true } => leader,
            Late::Stopped { leader: false } => (leader + self.rng.usize(1..Run::MEMBERS)) % Run::MEMBERS,
            Late::Delayed(_) => self.rng.usize(0..Run::MEMBERS),
        }
    }

    async fn contender(&mut self, late: Late, member: usize) -> (Client, Session) {
        let endpoints = self.run.endpoints();
        let other = (member + 1) % Run::MEMBERS;
        let chosen = match late {
            Late::Stopped { .. } => endpoints,
            Late::Delayed(_) => vec![endpoints[member].clone(), endpoints[other].clone()],
        };
        let client = Client::builder(chosen).build().expect("the endpoints are valid");
        let tokens = if self.leases { Tokens::lease_per_entry() } else { Tokens::default() };
        let session = Session::builder(&client).ttl(TTL).tokens(tokens).await.expect("the cluster is well");
        let recorder = self.run.recorder();
        sessions::granted(recorder, &session);
        tokio::spawn(sessions::follow(recorder.clone(), session.clone()));
        (client, session)
    }

    fn one<R: Recipes>(&mut self, client: &Client, session: &Session) -> Contender<R> {
        let rng = self.rng.fork();
        self.contender_with(client, session, rng)
    }

    fn contender_with<R: Recipes>(&self, client: &Client, session: &Session, rng: Rng) -> Contender<R> {
        Contender {
            recipes: R::new(client, session),
            client: client.clone(),
            recorder: self.run.recorder().clone(),
            rng,
            pace: Pace { between: 0..700, holds: 0..30, meets: Duration::from_secs(20) },
            until: Until::Times(TURNS),
            turns: 0,
            drops: self.drops,
            done: Arc::default(),
        }
    }

    fn spawn<R: Recipes>(&mut self, load: &mut JoinSet<()>, client: &Client, session: &Session) {
        for whats in LockKind::EXCLUSIVE_GROUPS {
            load.spawn(self.one::<R>(client, session).hold(whats));
        }
        for line in self.lines() {
            load.spawn(self.one::<R>(client, session).queue(line));
        }
        load.spawn(self.one::<R>(client, session).pass());
    }

    /// Waits for the load under the fault, and then for the last late request.
    async fn during(
        &mut self,
        late: Late,
        member: usize,
        drainer: &(Client, Session),
        load: impl Future<Output = ()>,
    ) {
        let (at, lasts) = (self.rng.u64(0..1_000), self.rng.u64(2_000..9_000));
        let load = async {
            timeout(3 * PATIENCE, load).await.expect("the load ends");
            // Before late copies arrive: the keys that they would put are gone by now.
            self.drain(drainer).await;
        };
        match late {
            Late::Stopped { .. } => {
                let step = |at, lasts| Step::new(Duration::from_millis(at), Verb::Pause, member, lasts);
                let stopped = self.run.cause(vec![step(at, Duration::from_millis(lasts))]);
                tokio::join!(stopped, load);
            }
            Late::Delayed(seconds) => {
                let (by, proxy) = (Duration::from_secs(seconds), self.run.proxied().proxy(member));
                let what = Verb::Delay(Direction::ToServer, by).to_string();
                self.run.recorder().record(Edge::Fault { member, what });
                proxy.fault(Direction::ToServer, Fault::delay(by));
                load.await;
                sleep(by).await;
                proxy.heal().await;
            }
        }
    }

    /// Takes all items from the queues, bypassing the fault.
    async fn drain(&self, (_, session): &(Client, Session)) {
        for line in self.lines() {
            let rng = Rng::with_seed(0);
            let mut taker = self.contender_with::<Ours>(&self.client, session, rng);
            taker.drops = false;
            while taker.pick(line).await {}
        }
    }

    /// Queues with a session need tokens.
    fn lines(&self) -> impl Iterator<Item = QueueKind> + Send + use<> {
        let leases = self.leases;
        QueueKind::ALL.into_iter().filter(move |line| !leases || !line.is_known())
    }

    /// The checker knows the leases of sessions, but not those of entries.
    async fn nothing_is_left(&self) {
        for name in PREFIXES {
            let found = self.client.get(name).prefix().keys_only().await.expect("the cluster is well");
            assert!(found.kvs.is_empty(), "left behind: {:?}", found.kvs);
        }
    }

    async fn last(&self) -> Rev {
        Rev(self.client.put("end", "").await.expect("the cluster is well").header.revision.get())
    }
}
