//! A cluster under load, who leads it, and the end of a run.

use std::time::Duration;

use etcd_client_core::{Client, ClientBuilder};
use etcd_testkit::{Cluster, Proxied};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use crate::{
    history::History,
    load::Load,
    servers::{eventually, metric},
    witness,
};

/// Calls answered before a fault, and after it: enough that every member had its share.
pub(super) const ENOUGH: usize = 2_000;

/// The most that a read may take while a member hangs, where that member does not lead.
pub(super) const HUNG: Duration = Duration::from_secs(3);

/// How soon a member that is well again must be used: what is known of its slowness halves every second.
const AGAIN: Duration = Duration::from_secs(30);

const MEMBERS: usize = 3;

/// How a client of these endpoints is built, TLS and passwords included; deadlines and the rest stay at their defaults.
pub(super) type Clients = fn(&Cluster, &[String]) -> ClientBuilder;

/// One run at a time.
pub(super) struct Rig {
    pub(super) cluster: Cluster,
    pub(super) proxied: Option<Proxied>,
    pub(super) load: Load,
    clients: Clients,
    _turn: MutexGuard<'static, ()>,
}

/// Waits until no other scenario runs.
pub(super) async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

pub(super) fn plain(_: &Cluster, endpoints: &[String]) -> ClientBuilder {
    Client::builder(endpoints)
}

impl Rig {
    /// Plain members, dialled directly.
    pub(super) async fn start() -> Option<Self> {
        Self::with(Cluster::builder(), plain, false).await
    }

    /// Plain members behind proxies.
    pub(super) async fn behind_proxies() -> Option<Self> {
        Self::with(Cluster::builder(), plain, true).await
    }

    /// Three such members with such a client, under load, each of them in use.
    pub(super) async fn with(
        builder: etcd_testkit::Builder,
        clients: Clients,
        proxied: bool,
    ) -> Option<Self> {
        let turn = turn().await;
        let cluster = builder.members(MEMBERS).start_or_skip().await?;
        let proxied = proxied.then(|| cluster.proxied().expect("proxies start"));
        let endpoints = proxied.as_ref().map_or_else(|| cluster.endpoints(), Proxied::endpoints);
        let client = clients(&cluster, &endpoints).build().expect("built");
        let load = Load::start(&client);
        let rig = Self { cluster, proxied, load, clients, _turn: turn };
        rig.load.answered(ENOUGH).await;
        for member in 0..MEMBERS {
            rig.assert_used(member).await;
        }
        Some(rig)
    }

    pub(super) async fn leader(&self) -> usize {
        self.leader_besides(None).await
    }

    /// The follower that gets more of the calls.
    pub(super) async fn follower(&self) -> usize {
        let leader = self.leader().await;
        let [one, other] = [1, 2].map(|after| (leader + after) % MEMBERS);
        if self.calls(one).await >= self.calls(other).await { one } else { other }
    }

    /// Waits until a member other than this one leads.
    pub(super) async fn leader_besides(&self, besides: Option<usize>) -> usize {
        let mut leader = 0;
        eventually("a member leads", async || {
            for member in (0..MEMBERS).filter(|member| Some(*member) != besides) {
                if metric(self.cluster.member(member), "etcd_server_is_leader", &[]).await > 0.0 {
                    leader = member;
                    return true;
                }
            }
            false
        })
        .await;
        leader
    }

    /// A fault has to hit something.
    async fn assert_used(&self, member: usize) {
        let calls = self.calls(member).await;
        assert!(calls >= ENOUGH as f64 / 100.0, "member {member} got {calls} of the calls");
    }

    /// Waits until a member gets calls, which it must soon: it is well again since `since`.
    pub(super) async fn used_again(&self, member: usize, since: Instant) {
        let before = self.calls(member).await;
        eventually("the member is used again", async || self.calls(member).await > before + 20.0).await;
        let took = since.elapsed();
        assert!(took <= AGAIN, "member {member} was used only {took:?} after it was well again");
    }

    /// How many KV calls a member has begun to serve since its start.
    async fn calls(&self, member: usize) -> f64 {
        let labels = ["grpc_service=\"etcdserverpb.KV\""];
        metric(self.cluster.member(member), "grpc_server_started_total", &labels).await
    }

    /// Ends the load and checks what holds in every scenario, as `witness` has seen it.
    pub(super) async fn finish(self, witness: usize, fault: Instant) -> History {
        let history = self.load.stop().await;
        history.assert_no_read_failed(fault);
        let endpoint = self.cluster.member(witness).tcp_endpoint().to_owned();
        let client = (self.clients)(&self.cluster, &[endpoint]).build().expect("built");
        witness::check(&client, &history).await;
        client.close().await;
        self.cluster.stop().await.expect("stopped");
        history
    }
}
