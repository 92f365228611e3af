//! Where a watch of what happens from now on begins, whatever happens to its stream and however busy its member is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Event, watch::WatchResponseKind};
use etcd_testkit::Accept;
use futures_util::{StreamExt as _, future::join_all, stream::iter};
use tokio::{task::JoinHandle, time::timeout};

use super::rig::{events, pairs, response};
use crate::servers::{PATIENCE, client, lent};

/// How many creations are under way at once.
const AT_ONCE: usize = 64;

/// Puts one key after the other, by so many writers, until it is told to stop.
struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    fn start(client: &Client, key: &'static str, count: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let write = |_| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.put(key, "v").timeout(PATIENCE).await.expect("put");
                }
            })
        };
        Self { tasks: (0..count).map(write).collect(), stop }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no put failed");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_event_is_the_first_one_after_the_creation() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    // Nothing else is written: each revision is one of the key.
    let writers = Writers::start(&client, "hot", 8);
    let one = async |_| {
        let mut watch = client.watch("hot").created_notify().timeout(PATIENCE).await.expect("watch");
        let created = response(&mut watch).await;
        assert_eq!(created.kind, WatchResponseKind::Created);
        let first = response(&mut watch).await.events.remove(0);
        (created.header.revision, first.revision())
    };
    let mut firsts = iter(0..8_000).map(one).buffer_unordered(AT_ONCE);
    while let Some((created, first)) = firsts.next().await {
        assert_eq!(first, created.next());
    }
    writers.end().await;
}

/// etcd issue 20655.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creations_under_load_lose_nothing() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let writers = Writers::start(&client, "load", 8);
    let one = |n: usize| {
        let client = client.clone();
        async move {
            let key = format!("w/{n}");
            let mut watch = client.watch(key.as_str()).timeout(PATIENCE).await.expect("watch");
            client.put(key.as_str(), "v").timeout(PATIENCE).await.expect("put");
            assert_eq!(pairs(&mut watch, 1).await, [(key, "v".to_owned())]);
            watch
        }
    };
    let watches = timeout(PATIENCE * 2, join_all((0..12_000).map(one))).await.expect("each saw its put");
    writers.end().await;
    assert_eq!(watches.iter().map(|watch| watch.counters().resumed).sum::<u64>(), 0);
}

#[tokio::test]
async fn stream_lost_before_the_first_event_loses_nothing() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let (client, direct) = (client(proxied.endpoints()), client(lent.cluster.endpoints()));
    for commits in 0..3 {
        direct.put("k", "before").await.expect("put");
        let mut watch = client.watch("k").timeout(PATIENCE).await.expect("watch");
        proxied.proxy(0).accept(Accept::Refuse).await;
        proxied.proxy(0).reset();
        for n in 0..commits {
            direct.put("k", format!("{n}")).await.expect("put");
        }
        proxied.proxy(0).accept(Accept::Serve).await;
        let resumed = async {
            while watch.counters().resumed == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, resumed).await.expect("the loss is noticed");
        direct.put("k", "after").await.expect("put");
        let seen = events(&mut watch, commits + 1).await;
        let values = seen.iter().map(|event: &Event| event.kv.value_str().expect("text").to_owned());
        let expected: Vec<_> = (0..commits).map(|n| n.to_string()).chain(["after".to_owned()]).collect();
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }
}

/// With `ETCD_IDLE_SECONDS=600` for as long as it should.
#[tokio::test]
async fn a_watch_that_was_resumed_on_an_idle_cluster_stays_on_its_stream() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let (client, direct) = (client(proxied.endpoints()), client(lent.cluster.endpoints()));
    let mut watch = client.watch("k").timeout(PATIENCE).await.expect("watch");
    direct.put("k", "1").await.expect("put");
    events(&mut watch, 1).await;
    proxied.proxy(0).reset();
    // Longer than a stream may be silent, and owe the sign of life that it is then asked for.
    let asked = std::env::var("ETCD_IDLE_SECONDS").ok();
    let idle = asked.map_or(20, |seconds| seconds.parse().expect("ETCD_IDLE_SECONDS is a number"));
    let quiet = timeout(Duration::from_secs(idle), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!(watch.counters().resumed, 1, "{:?}", watch.counters());
    direct.put("k", "2").await.expect("put");
    assert_eq!(pairs(&mut watch, 1).await, [("k".to_owned(), "2".to_owned())]);
}
