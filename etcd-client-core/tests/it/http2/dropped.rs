//! Calls that their callers drop in flight cost no connection, whatever arrives for them afterwards.

use std::{
    future::IntoFuture,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use etcd_client_core::observe::{ConnectionChange, ConnectionEvent, Observer};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::servers::shared;

/// The gets to drop. `ETCD_DROPPED_GETS` in the environment sets another number.
const DROPPED: usize = 10_000;

const WRITERS: usize = 8;

const READERS: u64 = 300;

/// Counts the connections that were closed.
#[derive(Clone, Debug, Default)]
struct Closed(std::sync::Arc<AtomicUsize>);

impl Observer for Closed {
    fn connection(&self, event: &ConnectionEvent<'_>) {
        if event.change == ConnectionChange::Closed {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn wanted() -> usize {
    std::env::var("ETCD_DROPPED_GETS").ok().and_then(|text| text.parse().ok()).unwrap_or(DROPPED)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_gets_leave_puts_and_connections_alone() {
    let Some(cluster) = shared() else { return };
    let closed = Closed::default();
    let client = etcd_client_core::Client::builder(cluster.endpoints())
        .observer(closed.clone())
        .timeout(Duration::from_secs(60))
        .build()
        .expect("built");
    client.put("dropped/k", "v".repeat(64)).await.expect("put");
    static DONE: AtomicBool = AtomicBool::new(false);
    static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);
    let wanted = wanted();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let client = client.clone();
        writers.spawn(async move {
            let mut puts = 0_usize;
            while !DONE.load(Ordering::Relaxed) {
                let result = client.put(format!("dropped/{writer}"), "v").await;
                result.unwrap_or_else(|error| panic!("put {puts}: {}", error.report()));
                puts += 1;
            }
            puts
        });
    }
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let client = client.clone();
        readers.spawn(async move {
            let mut n = reader;
            while IN_FLIGHT.load(Ordering::Relaxed) < wanted {
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // A timer is too coarse: answers take a fraction of a millisecond, and have to cross the reset.
                let patience = Duration::from_micros(n >> 53);
                let began = Instant::now();
                let impatient = async {
                    while began.elapsed() < patience {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::select! {
                    biased;
                    got = client.get("dropped/k").into_future() => drop(got.expect("a get")),
                    () = impatient => {
                        IN_FLIGHT.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    let all = async {
        while let Some(reader) = readers.join_next().await {
            reader.expect("a reader");
        }
    };
    timeout(Duration::from_secs(500), all).await.expect("the gets are dropped");
    DONE.store(true, Ordering::Relaxed);
    let mut puts = 0;
    while let Some(writer) = writers.join_next().await {
        puts += writer.expect("no put fails");
    }
    assert!(puts > WRITERS, "{puts} puts");
    assert_eq!(closed.0.load(Ordering::Relaxed), 0, "connections lost beside {puts} puts");
    client.close().await;
}
