//! How soon calls leave a path that no longer works, on real members behind fault proxies: `sim::notice` has the same in virtual
//! time.
//!
//! Each fault is tried `ETCD_NOTICE_ROUNDS` times. The tests with bounds in seconds are ignored, since a busy machine breaks them:
//!
//! ```text
//! ETCD_NOTICE_ROUNDS=20 cargo test -p etcd-client-core --all-features --test it -- --ignored --nocapture --test-threads 1 notice
//! ```
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::{env, fmt, time::Duration};

use etcd_client_core::{Client, Error, Outcome, transport::Balance, types::Endpoint};
use etcd_testkit::{Cluster, Direction, Fault, Proxied};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::servers::{PATIENCE, eventually, metric};

/// What the README promises of a read.
const READ: Duration = Duration::from_secs(3);

/// The time in which a write to a member that went silent has its outcome.
const WRITE: Duration = Duration::from_secs(4);

/// The write gap of the Go client with the keepalive that etcdctl and Kubernetes set.
const GO_GAP: Duration = Duration::from_millis(3_200);

/// What passes a path with too small an MTU.
const SMALL: usize = 1_400;

/// A value that does not.
const LARGE: usize = 8_192;

/// The reads of a round, and the writes.
const CALLS: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// The client's connections carry nothing any more, and new ones work, as behind a NAT that forgot them.
    DeadConnections { endpoints: usize },
    /// The client does not reach the member any more, on no connection; its peers do.
    CutOff { leader: bool },
    /// SIGSTOP: nobody hears of the member any more, its peers neither.
    Stopped { leader: bool },
    /// What the client sends arrives at one member, and no answer comes back.
    AnswersLost,
    /// Large frames of one member vanish, in both directions.
    MtuBlackHole,
}

impl Trouble {
    const ALL: [Self; 8] = [
        Self::DeadConnections { endpoints: 1 },
        Self::DeadConnections { endpoints: 3 },
        Self::CutOff { leader: false },
        Self::CutOff { leader: true },
        Self::Stopped { leader: false },
        Self::Stopped { leader: true },
        Self::AnswersLost,
        Self::MtuBlackHole,
    ];

    /// Whether the followers forward proposals into the void. They answer PINGs, so that such writes wait for their deadline, as
    /// those of every client do.
    fn loses_proposals(self) -> bool {
        self == Self::Stopped { leader: true }
    }

    /// The bytes of each value.
    fn size(self) -> usize {
        if self == Self::MtuBlackHole { LARGE } else { 8 }
    }
}

/// The slowest of each kind.
#[derive(Clone, Copy, Debug, Default)]
struct Slowest {
    read: Duration,
    /// Writes on their way to the member in trouble.
    write: Duration,
    /// Writes that took whichever member was next.
    other_write: Duration,
}

impl fmt::Display for Slowest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, write, other_write } = self;
        write!(f, "slowest read {read:?}, write to the member {write:?}, any write {other_write:?}")
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Read,
    Write { pinned: bool },
}

struct Rig {
    cluster: Cluster,
    members: Proxied,
    direct: Client,
}

impl Rig {
    async fn start() -> Option<Self> {
        let cluster = Cluster::builder().members(3).start_or_skip().await?;
        let members = cluster.proxied().expect("ports");
        let direct = Client::builder(cluster.endpoints()).timeout(PATIENCE).build().expect("valid");
        Some(Self { cluster, members, direct })
    }

    /// The place of the leader, or of a follower.
    async fn role(&self, leader: bool) -> usize {
        let mut found = 0;
        eventually("there is one leader", async || {
            let mut leaders = Vec::new();
            for (index, member) in self.cluster.members().iter().enumerate() {
                if metric(member, "etcd_server_is_leader", &[]).await == 1.0 {
                    leaders.push(index);
                }
            }
            found = leaders.first().copied().unwrap_or(0);
            leaders.len() == 1
        })
        .await;
        if leader { found } else { (found + 1) % 3 }
    }

    /// The member in trouble.
    async fn victim(&self, trouble: Trouble) -> usize {
        match trouble {
            Trouble::CutOff { leader } | Trouble::Stopped { leader } => self.role(leader).await,
            _ => 0,
        }
    }

    async fn begin(&self, trouble: Trouble, victim: usize) {
        let proxy = self.members.proxy(victim);
        match trouble {
            Trouble::DeadConnections { .. } => {
                let connections = self.members.proxies().iter().flat_map(|proxy| proxy.connections());
                connections.for_each(|connection| connection.fault(Direction::Both, Fault::Blackhole));
            }
            Trouble::CutOff { .. } => proxy.fault(Direction::Both, Fault::Blackhole),
            Trouble::Stopped { .. } => self.cluster.member(victim).pause().await.expect("paused"),
            Trouble::AnswersLost => proxy.fault(Direction::ToClient, Fault::Blackhole),
            Trouble::MtuBlackHole => proxy.fault(Direction::Both, Fault::LoseLarger(SMALL)),
        }
    }

    async fn heal(&self, trouble: Trouble, victim: usize) {
        if matches!(trouble, Trouble::Stopped { .. }) {
            self.cluster.member(victim).resume().expect("resumed");
        }
        for proxy in self.members.proxies() {
            proxy.heal().await;
        }
        self.cluster.wait_healthy(PATIENCE).await.expect("healthy");
    }

    /// With `timeout` for the calls, where the default of 5 s may be too short: a busy machine elects a leader in that time or not.
    async fn round(&self, trouble: Trouble, round: usize, timeout: Option<Duration>) -> Slowest {
        let prefix = format!("{trouble:?}/{round}");
        let victim = self.victim(trouble).await;
        let endpoints: Vec<Endpoint> =
            self.members.endpoints().iter().map(|endpoint| endpoint.parse().expect("an endpoint")).collect();
        let pinned = endpoints[victim].clone();
        let used = match trouble {
            Trouble::DeadConnections { endpoints: 1 } => vec![pinned.clone()],
            _ => endpoints,
        };
        let builder = Client::builder(used.clone()).balance(Balance::RoundRobin);
        let builder = timeout.into_iter().fold(builder, |builder, timeout| builder.timeout(timeout));
        let client = builder.build().expect("valid");
        self.direct.put(format!("{prefix}/read"), "r".repeat(trouble.size())).await.expect("a value");
        for endpoint in &used {
            eventually("each member answers", async || {
                client.get("k").endpoint(endpoint.clone()).await.is_ok()
            })
            .await;
        }
        self.begin(trouble, victim).await;

        let mut calls = JoinSet::new();
        for n in 0..3 * CALLS {
            let (client, key) = (client.clone(), format!("{prefix}/{n}"));
            let (read_key, value) = (format!("{prefix}/read"), "w".repeat(trouble.size()));
            let pinned = pinned.clone();
            calls.spawn(async move {
                let started = Instant::now();
                let (call, end) = match n % 3 {
                    0 => (Call::Read, client.get(read_key).await.map(drop)),
                    1 => (Call::Write { pinned: false }, client.put(key.clone(), value).await.map(drop)),
                    _ => {
                        let put = client.put(key.clone(), value).endpoint(pinned);
                        (Call::Write { pinned: true }, put.await.map(drop))
                    }
                };
                (call, key, started.elapsed(), end)
            });
        }
        let ended = calls.join_all().await;
        self.heal(trouble, victim).await;
        client.close().await;

        let mut slowest = Slowest::default();
        for (call, key, took, end) in ended {
            let kind = match call {
                Call::Read => {
                    if let Err(error) = end {
                        assert!(timeout.is_none(), "{prefix}: a read after {took:?}: {}", error.report());
                        println!("{prefix}: a read after {took:?}: {}", error.report());
                    }
                    slowest.read = slowest.read.max(took);
                    continue;
                }
                Call::Write { pinned: true } => &mut slowest.write,
                Call::Write { pinned: false } => &mut slowest.other_write,
            };
            *kind = took.max(*kind);
            self.verify(&key, end).await;
        }
        slowest
    }

    /// The outcome that was reported is the one in the store.
    async fn verify(&self, key: &str, end: Result<(), Error>) {
        let got = self.direct.get(key).await.expect("a read of a healthy cluster");
        let version = got.kvs.first().map_or(0, |kv| kv.version.get());
        let possible = match end.as_ref().map_err(Error::outcome) {
            Ok(()) => version == 1,
            Err(Outcome::NotApplied) => version == 0,
            Err(_) => version <= 1,
        };
        assert!(possible, "{key} has version {version}: {end:?}");
    }
}

fn rounds() -> usize {
    env::var("ETCD_NOTICE_ROUNDS").map_or(1, |text| text.parse().expect("a number"))
}

/// Whatever happens to a member or to the way to it, no read fails and no write is reported wrongly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_fail_no_read_and_falsify_no_outcome() {
    let Some(rig) = Rig::start().await else { return };
    for trouble in Trouble::ALL {
        println!("{trouble:?}: {}", rig.round(trouble, 0, Some(PATIENCE)).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asserts seconds, which a busy machine exceeds"]
async fn every_fault_is_noticed_in_time() {
    let Some(rig) = Rig::start().await else { return };
    let mut late = Vec::new();
    for trouble in Trouble::ALL {
        let (mut all, mut in_time) = (Slowest::default(), 0);
        for round in 0..rounds() {
            let found = rig.round(trouble, round, None).await;
            all.read = all.read.max(found.read);
            all.write = all.write.max(found.write);
            all.other_write = all.other_write.max(found.other_write);
            let other = found.other_write <= WRITE || trouble.loses_proposals();
            in_time += usize::from(found.read <= READ && found.write <= WRITE && other);
        }
        println!("{trouble:?}: {in_time} of {} in time; {all}", rounds());
        if in_time < rounds() {
            late.push(trouble);
        }
    }
    assert!(late.is_empty(), "not in time: {late:?}");
}

/// One writer, whose writes go to each member in turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asserts seconds, which a busy machine exceeds"]
async fn the_write_gap_of_a_stopped_follower_is_below_gos() {
    let Some(rig) = Rig::start().await else { return };
    let mut worst = Duration::ZERO;
    for round in 0..rounds() {
        let victim = rig.role(false).await;
        let client = Client::builder(rig.cluster.endpoints()).balance(Balance::RoundRobin).build();
        let client = client.expect("valid");
        for _ in 0..6 {
            client.put("k", "before").await.expect("a healthy cluster");
        }
        rig.cluster.member(victim).pause().await.expect("paused");
        let (began, mut last) = (Instant::now(), Instant::now());
        let mut gap = Duration::ZERO;
        while began.elapsed() < Duration::from_secs(8) {
            if client.put("k", "v").await.is_ok() {
                gap = gap.max(last.elapsed());
                last = Instant::now();
            }
            sleep(Duration::from_millis(5)).await;
        }
        rig.heal(Trouble::Stopped { leader: false }, victim).await;
        client.close().await;
        worst = worst.max(gap);
        assert!(gap < GO_GAP, "round {round}: no write was acknowledged for {gap:?}");
    }
    println!("write gap with a stopped follower: {worst:?} in {} rounds", rounds());
}
