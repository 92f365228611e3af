//! How many TCP connections a client has: few at rest, a bounded number under load, none once it is closed.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::{Cluster, Counts, Proxied, Proxy};
use tokio::task::JoinSet;

use crate::{history::print, rig::turn, servers::eventually, streams::Streams};

/// Connections for unary calls to one member.
const MOST: usize = 4;

/// Streams have one more.
const STREAMS: usize = 1;

/// More than three connections are meant for at a time.
const CALLERS: usize = 600;

/// The calls of each, one after the other.
const CALLS: usize = 20;

/// Streams of each kind.
const TRIPLES: usize = 24;

fn open(proxied: &Proxied) -> Vec<usize> {
    proxied.proxies().iter().map(Proxy::counts).map(|Counts { open, .. }| open).collect()
}

async fn read(client: Client) {
    for _ in 0..CALLS {
        client.get("k").await.expect("answered");
    }
}

async fn come_to(proxied: &Proxied, expected: [usize; 3]) {
    eventually(format!("{expected:?} connections are open"), async || open(proxied) == expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_grow_to_a_bound_and_come_back() {
    let _turn = turn().await;
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let proxied = cluster.proxied().expect("proxies start");
    let client = Client::builder(proxied.endpoints()).build().expect("built");
    client.put("k", "v").await.expect("put");
    come_to(&proxied, [1; 3]).await;

    let lease = client.lease().grant(Duration::from_secs(600)).await.expect("granted").id;
    let mut streams = Vec::new();
    for _ in 0..TRIPLES {
        streams.push(Streams::open(&client, lease.get()).await);
    }
    // Each member has a share of them.
    come_to(&proxied, [1 + STREAMS; 3]).await;

    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(read(client.clone()));
    }
    let mut peak = [0; 3];
    while callers.join_next().await.transpose().expect("no call failed").is_some() {
        let open = open(&proxied);
        peak = std::array::from_fn(|member| peak[member].max(open[member]));
    }
    assert!(peak.iter().all(|peak| *peak <= MOST + STREAMS), "{peak:?} connections under load");
    assert!(peak.iter().any(|peak| *peak > 1 + STREAMS), "no load makes connections grow: {peak:?}");
    come_to(&proxied, [1 + STREAMS; 3]).await;
    drop(streams);
    client.close().await;
    come_to(&proxied, [0; 3]).await;
    print(format_args!("connections to each member under load: {peak:?}, streams included"));
    cluster.stop().await.expect("stopped");
}
