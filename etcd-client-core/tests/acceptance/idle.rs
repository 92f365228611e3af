//! An idle client keeps its connections: it breaks no rule of the server about pings.

use std::{env, time::Duration};

use etcd_client_core::Client;
use etcd_testkit::{Cluster, Counts, Proxied};
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};

use crate::{
    history::print,
    rig::{Clients, plain},
    servers::eventually,
    streams::Streams,
};

/// Seconds to be idle: 600 is the whole test.
const SECONDS: &str = "ETCD_IDLE_SECONDS";

/// Long enough for one PING on connections with open streams.
const SHORT: Duration = Duration::from_secs(16);

/// A frame with its payload.
const PING: u64 = 17;

/// The server allows no more than one PING per so long.
const ALLOWED: Duration = Duration::from_secs(5);

struct Idle {
    proxied: Proxied,
    client: Client,
    before: Vec<Counts>,
}

impl Idle {
    /// A client with a connection to each member, which has been used.
    async fn start(cluster: &Cluster, clients: Clients) -> Self {
        let proxied = cluster.proxied().expect("proxies start");
        let client = clients(cluster, &proxied.endpoints()).build().expect("built");
        eventually("each member is connected and has answered", async || {
            client.get("k").await.expect("answered");
            proxied.proxies().iter().all(|proxy| proxy.counts().traffic.to_client.written > 200)
        })
        .await;
        Self { proxied, client, before: Vec::new() }
    }

    /// Waits until nothing is said any more that belongs to what was done.
    async fn settle(&mut self) {
        let mut last = Instant::now();
        eventually("the connections are quiet", async || {
            let counts = self.counts();
            if counts != self.before {
                (self.before, last) = (counts, Instant::now());
            }
            last.elapsed() > Duration::from_millis(500)
        })
        .await;
    }

    fn counts(&self) -> Vec<Counts> {
        self.proxied.proxies().iter().map(etcd_testkit::Proxy::counts).collect()
    }

    /// What the client sent to each member since it was settled, without connecting anew, as it does after a GOAWAY.
    fn sent(&self) -> Vec<u64> {
        let pairs = self.before.iter().zip(self.counts());
        let sent = pairs.map(|(before, now)| {
            assert_eq!(now.connects, before.connects, "a connection was made anew");
            // The client may give back what it has no use for.
            assert!((1..=before.open).contains(&now.open), "{} of {} are left", now.open, before.open);
            now.traffic.to_server.read - before.traffic.to_server.read
        });
        sent.collect()
    }
}

async fn nothing_ends(name: &str, builder: etcd_testkit::Builder, clients: Clients) {
    let Some(cluster) = builder.members(3).start_or_skip().await else { return };
    let time = env::var(SECONDS).map_or(SHORT, |text| Duration::from_secs(text.parse().expect("seconds")));
    let mut without = Idle::start(&cluster, clients).await;
    let mut with = Idle::start(&cluster, clients).await;
    let lease = with.client.lease().grant(Duration::from_secs(3_600)).await.expect("granted").id;
    let mut streams = Vec::new();
    for _ in 0..12 {
        streams.push(Streams::open(&with.client, lease.get()).await);
    }
    without.settle().await;
    with.settle().await;
    // To do nothing for a while is what is tested.
    sleep(time).await;
    assert_eq!(without.sent(), [0, 0, 0], "bytes sent without a call or a stream");
    let allowed = PING * u64::try_from(time.div_duration_f64(ALLOWED) as u128).expect("a small number");
    for (sent, counts) in with.sent().into_iter().zip(with.counts()) {
        assert!(sent <= allowed * counts.open as u64, "{sent} bytes sent beside open streams");
    }
    assert!(with.sent().iter().sum::<u64>() >= PING, "nothing would find a dead peer of a stream");
    for open in &mut streams {
        assert!(open.watch.message().now_or_never().is_none(), "a watch ended");
        assert!(open.keep_alive.message().now_or_never().is_none(), "a keepalive ended");
        assert!(open.health.message().now_or_never().is_none(), "a health watch ended");
    }
    for idle in [without, with] {
        idle.client.put("k", "v").await.expect("the connections serve");
        idle.sent();
    }
    print(format_args!("{name}, idle for {time:?}: no connection ended"));
    cluster.stop().await.expect("stopped");
}

#[tokio::test]
async fn no_connection_of_an_idle_client_ends() {
    nothing_ends("plain", Cluster::builder(), plain).await;
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn no_connection_of_an_idle_client_ends_with_tls() {
    nothing_ends("TLS", Cluster::builder().tls(), crate::secured::tls).await;
}
