//! A linearizable read of a cache has every write that was acknowledged before it began.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Cache, Client, Get, types::KeyRange};
use etcd_testkit::Cluster;
use tokio::{
    select,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::live;
use crate::servers::{self, PATIENCE};

const WRITERS: usize = 4;
const READERS: usize = 6;
const WRITES: u64 = 150;

fn key(writer: usize) -> String {
    format!("lin/{writer}")
}

/// What each writer was told to be written.
type Acknowledged = Arc<[AtomicU64; WRITERS]>;

async fn write(client: Client, writer: usize, acknowledged: Acknowledged) {
    for value in 1..=WRITES {
        client.put(key(writer), value.to_string()).timeout(PATIENCE).await.expect("put");
        acknowledged[writer].store(value, Ordering::SeqCst);
    }
}

/// Reads keys in turn until all writers are done; gives the number of reads.
async fn read(cache: Cache, acknowledged: Acknowledged) -> u64 {
    let mut reads = 0;
    for writer in (0..WRITERS).cycle() {
        let before = acknowledged[writer].load(Ordering::SeqCst);
        let got = cache.read(Get::new(key(writer))).await.expect("read").into_first();
        let found = got.map_or(0, |kv| kv.value_str().expect("text").parse().expect("a number"));
        assert!(found >= before, "read {found} after {before} was acknowledged");
        reads += 1;
        if acknowledged.iter().all(|value| value.load(Ordering::SeqCst) == WRITES) {
            break;
        }
    }
    reads
}

/// Writers and readers at once, on two caches; gives how many reads there were and how many were sent to the server.
async fn write_and_read(writing: &Client, reading: &Client) -> (u64, u64) {
    let caches = [live(reading, KeyRange::prefix("lin/")).await, live(reading, KeyRange::all()).await];
    let acknowledged = Acknowledged::default();
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    for writer in 0..WRITERS {
        writers.spawn(write(writing.clone(), writer, Arc::clone(&acknowledged)));
    }
    for reader in 0..READERS {
        let cache = caches[reader % caches.len()].clone();
        readers.spawn(read(cache, Arc::clone(&acknowledged)));
    }
    let running = async {
        writers.join_all().await;
        readers.join_all().await.into_iter().sum::<u64>()
    };
    let reads = timeout(PATIENCE, running).await.expect("in time");
    (reads, caches.iter().map(|cache| cache.counters().read_through).sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_an_acknowledged_write() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = servers::client(cluster.endpoints());
    let (reads, through) = write_and_read(&client, &client).await;
    assert!(reads > WRITES, "{reads} reads");
    assert!(through < reads, "all {reads} reads were sent to the server");
}

/// The watch moves from member to member all the time, to some that lag.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_stale_while_connections_break() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let proxied = cluster.proxied().expect("proxies start");
    let direct = servers::client(cluster.endpoints());
    let client = Client::builder(proxied.endpoints()).timeout(PATIENCE).build().expect("valid");
    let breaking = async {
        for proxy in proxied.proxies().iter().cycle() {
            proxy.reset();
            sleep(Duration::from_millis(50)).await;
        }
    };
    let (reads, _) = select! {
        counted = write_and_read(&direct, &client) => counted,
        () = breaking => unreachable!("it goes on and on"),
    };
    assert!(reads > 0);
}

/// Writes elsewhere make the store's revision grow, which only progress tells the cache.
#[tokio::test]
async fn idle_range_is_readable() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    client.put("quiet/k", "v").await.expect("put");
    let cache = live(&client, KeyRange::prefix("quiet/")).await;
    for round in 0..10 {
        let put = client.put("loud", round.to_string()).await.expect("put");
        let reading = cache.read(Get::new("quiet/").prefix());
        let read = timeout(Duration::from_secs(10), reading).await.expect("in time").expect("read");
        assert_eq!(read.kvs.len(), 1);
        assert!(read.header.revision >= put.header.revision, "at or after the last write");
    }
}
