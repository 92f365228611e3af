//! One endpoint that hides several members: what outlives the stop of the one under a connection.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::{
    collections::HashMap,
    env, io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, lease::LeaseState, transport::Target, watch::WatchStream};
use etcd_testkit::{Cluster, Direction, Fault, Front, Proxied};
use futures_util::future::join_all;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tower::Service;

use crate::{
    servers::{PATIENCE, client, eventually},
    watch::rig::{events, short},
};

const TTL: Duration = Duration::from_secs(8);

/// Of a lease whose member hangs. Renewals go out every third of it, and one is late after 2 s. The gateway hides which member
/// a connection leads to and may choose the hung one again, which takes seconds to find out each time. At least 10 s are left
/// for that, on a busy machine too.
const LONG_TTL: Duration = Duration::from_secs(20);

/// A gateway before fault proxies before members.
struct Rig {
    cluster: Cluster,
    members: Proxied,
    gateway: Front,
}

impl Rig {
    async fn start() -> Option<Self> {
        let cluster = Cluster::builder().members(3).start_or_skip().await?;
        let members = cluster.proxied().expect("ports");
        let addresses: Vec<String> =
            members.proxies().iter().map(|proxy| proxy.address().to_string()).collect();
        let gateway = cluster.gateway_to(&addresses).await.expect("a gateway");
        Some(Self { cluster, members, gateway })
    }

    /// Bytes that clients have sent, for each member.
    fn sent(&self) -> Vec<u64> {
        self.members.proxies().iter().map(|proxy| proxy.counts().traffic.to_server.read).collect()
    }

    /// The member that hears of a client next, while that client does nothing but keep a lease alive.
    async fn renewed_on(&self) -> usize {
        // What else was under way ends first: a second without a byte.
        let mut before = self.sent();
        eventually("the client is quiet", async || {
            sleep(Duration::from_secs(1)).await;
            let now = self.sent();
            std::mem::replace(&mut before, now.clone()) == now
        })
        .await;
        let mut found = None;
        eventually("a renewal is sent", async || {
            found = self.sent().iter().zip(&before).position(|(now, before)| now > before);
            found.is_some()
        })
        .await;
        found.expect("found")
    }
}

/// `ETCD_GATEWAY_ROUNDS=10` has it stop members as often.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_lease_outlives_the_stop_of_the_member_under_its_connection() {
    let rounds = env::var("ETCD_GATEWAY_ROUNDS").ok();
    let rounds: usize = rounds.map_or(1, |text| text.parse().expect("a number"));
    for round in 0..rounds {
        let Some(rig) = Rig::start().await else { return };
        let client = client([rig.gateway.endpoint()]);
        let granted = client.lease().grant(LONG_TTL).await.expect("grant");
        let kept = client.lease().keep_alive(granted.id).await.expect("kept");
        let member = rig.renewed_on().await;
        rig.members.proxy(member).fault(Direction::Both, Fault::Blackhole);
        let stopped = Instant::now();
        // A deadline counts from when its renewal was sent: every one that was given before has passed by then.
        while stopped.elapsed() < LONG_TTL + Duration::from_secs(1) {
            let lost = kept.is_lost();
            assert!(!lost, "round {round}, {:?} after the stop: {:?}", stopped.elapsed(), kept.state());
            sleep(Duration::from_millis(50)).await;
        }
        assert!(matches!(kept.state(), LeaseState::Alive), "{:?}", kept.state());
        let other = &rig.cluster.members()[(member + 1) % 3];
        let direct = crate::servers::client([other.endpoint()]);
        let left = direct.lease().time_to_live(granted.id).await.expect("asked");
        assert!(left.ttl.is_some(), "the members agree");
    }
}

/// A name that leads elsewhere from one moment to the next: every connection made from then on.
#[derive(Clone)]
struct Name(Arc<Mutex<SocketAddr>>);

impl Service<Target> for Name {
    type Response = TcpStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _target: Target) -> Self::Future {
        let address = *self.0.lock().expect("no panic");
        Box::pin(TcpStream::connect(address))
    }
}

/// By itself a watch finds out after 12 s; the rest is for busy machines.
#[tokio::test(flavor = "multi_thread")]
async fn moved_host_name_is_followed_away_from_a_hung_member() {
    follows_a_name(Duration::from_secs(8)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "asserts seconds, which a busy machine exceeds"]
async fn moved_host_name_is_followed_within_three_seconds() {
    follows_a_name(Duration::from_secs(3)).await;
}

async fn follows_a_name(bound: Duration) {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let members = cluster.proxied().expect("ports");
    let name = Name(Arc::new(Mutex::new(members.proxy(0).address())));
    let client = Client::builder(["http://etcd.test:2379"]).connector(name.clone()).build().expect("valid");
    let granted = client.lease().grant(Duration::from_secs(10)).await.expect("grant");
    let kept = client.lease().keep_alive(granted.id).await.expect("kept");
    let mut watch = client.watch("k").await.expect("watch");
    client.put("k", "before").await.expect("put");
    assert_eq!(events(&mut watch, 1).await.len(), 1);

    members.proxy(0).fault(Direction::Both, Fault::Blackhole);
    *name.0.lock().expect("no panic") = members.proxy(1).address();
    let moved = Instant::now();
    let direct = crate::servers::client([cluster.member(2).endpoint()]);
    direct.put("k", "after").await.expect("put");
    // A call in flight has the silence noticed.
    let reading = tokio::spawn({
        let client = client.clone();
        async move {
            client.get("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
            moved.elapsed()
        }
    });
    let values: Vec<String> = events(&mut watch, 1).await.iter().map(|event| short(event).1).collect();
    let watched = moved.elapsed();
    assert_eq!(values, ["after"]);
    let read = reading.await.expect("no panic");
    println!("a name that moves: the watch took {watched:?}, the read {read:?}");
    // Both connections are probed after 1 s of a call's silence, and suspect after 2 s.
    assert!(watched < bound, "the watch took {watched:?}");
    assert!(read < bound, "the read took {read:?}");
    eventually("calls go on", async || client.get("k").await.is_ok()).await;
    while moved.elapsed() < Duration::from_secs(20) {
        assert!(!kept.is_lost(), "{:?} after the move: {:?}", moved.elapsed(), kept.state());
        sleep(Duration::from_millis(50)).await;
    }
}

/// A load balancer that closes what is idle: nothing is lost, and nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn watches_and_leases_outlive_idle_cuts() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let balancer = cluster.balanced(Some(Duration::from_secs(1))).expect("a port");
    let behind = client([balancer.endpoint()]);
    let direct = client(cluster.endpoints());
    let granted = behind.lease().grant(TTL).await.expect("grant");
    let kept = behind.lease().keep_alive(granted.id).await.expect("kept");
    let mut watches: Vec<WatchStream> = Vec::new();
    for watch in join_all((0..5).map(|_| async { behind.watch("k").await })).await {
        watches.push(watch.expect("watch"));
    }
    let mut seen: HashMap<usize, Vec<String>> = HashMap::new();
    for round in 0..5 {
        sleep(Duration::from_millis(1_500)).await;
        direct.put("k", format!("{round}")).await.expect("put");
        behind.get("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
        for (n, watch) in watches.iter_mut().enumerate() {
            let values = events(watch, 1).await.iter().map(|event| short(event).1).collect::<Vec<_>>();
            seen.entry(n).or_default().extend(values);
        }
    }
    assert!(seen.values().all(|values| *values == ["0", "1", "2", "3", "4"]), "{seen:?}");
    assert!(!kept.is_lost(), "{:?}", kept.state());
    let cuts = balancer.counts();
    assert!(cuts.served > cuts.open, "it did cut: {cuts:?}");
    timeout(PATIENCE, behind.close()).await.expect("in time");
}
