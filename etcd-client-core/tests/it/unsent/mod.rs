//! Writes of which no byte left, as counted on the socket: they are not applied, and are retried.

mod idle_cut;

use std::{num::NonZeroUsize, thread, time::Duration};

use etcd_client_core::{Client, Error};
use etcd_testkit::Cluster;

use crate::{
    servers::{PATIENCE, client},
    tap::Tap,
};

/// How often a scenario is run: `ETCD_ROUNDS`, or `few`.
fn rounds(few: usize) -> usize {
    let rounds = std::env::var("ETCD_ROUNDS").ok().and_then(|rounds| rounds.parse::<NonZeroUsize>().ok());
    rounds.map_or(few, NonZeroUsize::get)
}

/// Runs `work` on a runtime of its own while the caller's is not polled.
fn meanwhile(work: impl Future<Output = ()> + Send) {
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(work);
        });
        other.join().expect("the other thread");
    });
}

#[tokio::test]
async fn a_put_after_a_restart_that_the_runtime_slept_through_is_retried() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    for round in 0..rounds(3) {
        let tap = Tap::default();
        let client = Client::builder(cluster.endpoints()).connector(tap.clone()).timeout(PATIENCE);
        let client = client.build().expect("built");
        client.put("k", "v").await.expect("put");
        let (written, connections) = (tap.written(), tap.connections());
        meanwhile(async { cluster.member(0).restart().await.expect("restarted") });
        let key = format!("round/{round}");
        let put = client.put(key.clone(), "v").await;
        assert!(tap.connections() > connections && tap.written() > written, "it was written to a new one");
        assert_eq!(put.as_ref().err().map(Error::outcome), None, "round {round}: {put:?}");
        let got = client.get(key).await.expect("get");
        assert_eq!(got.kvs[0].version.get(), 1, "it was applied once");
    }
}

/// The reset has arrived before the put is queued, so that the socket takes no byte of it.
#[tokio::test]
async fn a_put_on_a_connection_that_was_reset_is_retried() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    for round in 0..rounds(5) {
        let proxied = cluster.proxied().expect("proxies");
        let proxy = proxied.proxy(0);
        let client = client(proxied.endpoints());
        client.put("k", "v").await.expect("put");
        meanwhile(async {
            proxy.reset();
            proxy.wait_until(|counts| counts.open == 0).await;
        });
        let key = format!("round/{round}");
        let put = client.put(key.clone(), "v").await;
        assert_eq!(put.as_ref().err().map(Error::outcome), None, "round {round}: {put:?}");
        let got = client.get(key).await.expect("get");
        assert_eq!(got.kvs[0].version.get(), 1, "it was applied once");
    }
}

/// The FIN of a load balancer has arrived before the put is queued. The socket would take its bytes, and nobody would read them.
#[tokio::test]
async fn a_put_after_an_idle_cut_that_the_runtime_slept_through_is_retried() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let balancer = cluster.balanced(Some(Duration::from_millis(300))).expect("a port");
    for round in 0..rounds(20) {
        let client = client([balancer.endpoint()]);
        client.put("k", "v").await.expect("put");
        meanwhile(balancer.wait_until(|counts| counts.open == 0));
        let key = format!("cut/{round}");
        let put = client.put(key.clone(), "v").await;
        assert_eq!(put.as_ref().err().map(Error::outcome), None, "round {round}: {put:?}");
        let got = client.get(key).await.expect("get");
        assert_eq!(got.kvs[0].version.get(), 1, "it was applied once");
        client.close().await;
    }
}
