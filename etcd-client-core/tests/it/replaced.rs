//! Members that come back as others under a client that goes on: recreated, wiped, restored. Nothing is written to them until that is
//! accepted; then everything equals the store.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{
    Cache, Client, ErrorKind, Get, Outcome, cache::CacheStatus, client::HealingEvent, lease::LeaseLostReason,
    transport::EndpointPhase, types::KeyRange, watch::WatchResponseKind,
};
use etcd_testkit::Cluster;
use futures_util::StreamExt as _;
use tokio::{task::JoinSet, time::timeout};

use crate::servers::{PATIENCE, client, eventually};

const WRITERS: usize = 8;

/// How often a member is replaced: few times unless more are asked for.
fn rounds() -> usize {
    env::var("ETCD_REPLACEMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Waits until the client has found out that its endpoint is not what it was.
pub(crate) async fn refused(client: &Client) -> String {
    let mut states = client.endpoint_states();
    let refused = async {
        while let Some(states) = states.next().await {
            if states[0].phase == EndpointPhase::Rejected {
                return states[0].reason.as_deref().unwrap_or_default().to_owned();
            }
        }
        panic!("the client was closed");
    };
    timeout(PATIENCE, refused).await.expect("it is found out")
}

/// Puts without a pause, each another key, from several tasks.
struct Load {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    writers: JoinSet<usize>,
}

impl Load {
    fn on(client: &Client, round: usize) -> Self {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (client, stop, written) = (client.clone(), Arc::clone(&stop), Arc::clone(&written));
            writers.spawn(async move {
                let mut refusals = 0;
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    match client.put(format!("load/{round}/{writer}/{n}"), "v").await {
                        Ok(_) => drop(written.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => {
                            let of_identity = matches!(
                                error.kind(),
                                ErrorKind::WrongCluster | ErrorKind::RevisionRegressed
                            );
                            assert!(
                                !of_identity || error.outcome() == Outcome::NotApplied,
                                "{}",
                                error.report()
                            );
                            refusals += usize::from(of_identity);
                            tokio::time::sleep(Duration::from_millis(2)).await;
                        }
                    }
                }
                refusals
            });
        }
        Self { stop, written, writers }
    }

    async fn goes_on(&self) {
        let before = self.written.load(Ordering::Relaxed);
        eventually("puts go through", async || self.written.load(Ordering::Relaxed) > before + 20).await;
    }

    /// How many puts were refused.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.writers.join_all().await.into_iter().sum()
    }
}

/// What the store at these endpoints is, by a client that knows nothing.
async fn state(cluster: &Cluster) -> (i64, u64) {
    let stranger = client(cluster.endpoints());
    let all = stranger.get("load/").prefix().count_only().await.expect("it answers");
    stranger.close().await;
    (all.header.revision.get(), all.count)
}

#[tokio::test]
async fn no_write_reaches_a_replaced_cluster() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    for round in 0..rounds() {
        let load = Load::on(&client, round);
        load.goes_on().await;
        cluster.member(0).recreate(&format!("replacement-{round}")).await.expect("another cluster");
        let reason = refused(&client).await;
        assert!(reason.contains("belongs to cluster"), "{reason}");
        eventually("puts are refused", async || {
            let error = client.put("probe", "v").await.expect_err("refused");
            (error.kind(), error.outcome()) == (ErrorKind::WrongCluster, Outcome::NotApplied)
        })
        .await;
        let refusals = load.end().await;
        assert!(refusals > 0, "round {round}");
        assert_eq!(state(&cluster).await, (1, 0), "round {round}: nothing was written");
        assert_eq!(client.ready().await.expect_err("refused").kind(), ErrorKind::WrongCluster);
        client.accept_cluster().expect("there is one to accept");
        client.put("accepted", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
}

#[tokio::test]
async fn no_write_reaches_a_restored_store() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    for round in 0..rounds() {
        client.put("before", "the backup").await.unwrap_or_else(|error| panic!("{}", error.report()));
        let backup = cluster.member(0).back_up().await.expect("a backup");
        let snapshot = cluster.save_snapshot().await.expect("a snapshot");
        let then = state(&cluster).await;
        let load = Load::on(&client, round);
        load.goes_on().await;
        let expected = match round % 3 {
            0 => {
                cluster.member(0).restore(&backup).await.expect("an earlier store");
                then
            }
            1 => {
                cluster.restore_snapshot(&snapshot, None).await.expect("an earlier store");
                then
            }
            _ => {
                cluster.member(0).wipe().await.expect("an empty store");
                (1, 0)
            }
        };
        let reason = refused(&client).await;
        assert!(reason.contains("revision"), "{reason}");
        let refusals = load.end().await;
        let error = client.put("probe", "v").await.expect_err("refused");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::RevisionRegressed, Outcome::NotApplied));
        assert_eq!(state(&cluster).await, expected, "round {round}: nothing was written, {refusals} refused");
        client.accept_cluster().expect("there is a history to accept");
        client.put("accepted", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
}

/// The pairs of a range, as the store has them.
async fn stored(client: &Client, prefix: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let got = client.get(prefix).prefix().await.unwrap_or_else(|error| panic!("{}", error.report()));
    got.kvs.iter().map(|kv| (kv.key.to_vec(), kv.value.to_vec())).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one history, step by step")]
async fn followers_leave_a_lost_history() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    client.put("c/k", "kept").await.expect("put");
    client.put("c/only-in-backup", "v").await.expect("put");
    let backup = cluster.member(0).back_up().await.expect("a backup");
    let cache = Cache::builder(&client, KeyRange::prefix("c/")).start().expect("a cache");
    client.delete("c/only-in-backup").await.unwrap_or_else(|error| panic!("{}", error.report()));
    client.put("c/k", "lost").await.expect("put");
    let mut plain = client.watch("c/").prefix().await.expect("a watch");
    let mut resyncing = client.watch("c/").prefix().resync().await.expect("a watch");
    let lease = client.healing_lease(Duration::from_secs(30)).attach("c/lease", "v").await.expect("a lease");
    let mut healing = lease.events();
    let last = client.put("c/gone", "v").await.expect("put").header.revision;
    cache.wait_for_revision(last).await.expect("it follows");
    let mut changes = cache.subscribe().expect("it has listed");

    cluster.member(0).restore(&backup).await.expect("an earlier store");
    refused(&client).await;
    // Nothing that is lost is read from now on.
    for _ in 0..20 {
        let read = cache.read(Get::new("c/k")).await.expect_err("the store is refused");
        assert_eq!(read.kind(), ErrorKind::RevisionRegressed, "{}", read.report());
    }
    let ended = timeout(PATIENCE, async {
        loop {
            if let Err(error) = plain.next().await.expect("an error comes first") {
                return error;
            }
        }
    });
    let ended = ended.await.expect("it ends");
    assert_eq!(ended.kind(), ErrorKind::RevisionRegressed, "{}", ended.report());
    eventually("the cache says so", async || {
        matches!(cache.status(), CacheStatus::Resuming { error } if error.kind() == ErrorKind::RevisionRegressed)
    })
    .await;

    // Grown past what was seen, by somebody else: only the client's own knowledge tells the histories apart.
    let stranger = Client::builder(cluster.endpoints()).build().expect("valid");
    while stranger.put("other", "v").await.expect("put").header.revision <= last {}
    client.accept_cluster().unwrap_or_else(|error| panic!("{}", error.report()));
    for _ in 0..20 {
        let read = cache.read(Get::new("c/k")).await.unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(read.kvs[0].value, "kept");
    }
    let healed = async {
        while let Some(event) = healing.next().await {
            match event {
                HealingEvent::Lost(lost) => assert_eq!(lost.reason(), LeaseLostReason::Replaced),
                HealingEvent::Healed { .. } => return,
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(10), healed).await.expect("it heals");
    let expected = stored(&client, "c/").await;
    assert_eq!(expected.len(), 3, "k, only-in-backup and lease: {expected:?}");
    eventually("the cache equals the store", async || {
        let now: Vec<_> =
            cache.snapshot().expect("listed").iter().map(|kv| (kv.key.to_vec(), kv.value.to_vec())).collect();
        now == expected && matches!(cache.status(), CacheStatus::Live)
    })
    .await;
    let told = async {
        while let Some(change) = changes.next().await {
            if change.expect("it goes on").is_resynced() {
                return;
            }
        }
    };
    timeout(PATIENCE, told).await.expect("it is reported");
    let resynced = async {
        while let Some(response) = resyncing.next().await {
            let response = response.unwrap_or_else(|error| panic!("{}", error.report()));
            if matches!(response.kind, WatchResponseKind::Resynced(_)) {
                return response.events;
            }
        }
        panic!("it ends");
    };
    let events = timeout(PATIENCE, resynced).await.expect("it resynchronises");
    let keys = |deleted: bool| -> Vec<&str> {
        let events = events.iter().filter(|event| event.is_delete() == deleted);
        events.map(|event| event.kv.key_str().expect("text")).collect()
    };
    assert!(keys(false).contains(&"c/k") && keys(false).contains(&"c/only-in-backup"), "{events:?}");
    assert!(keys(true).contains(&"c/gone"), "{events:?}");
}

#[cfg(feature = "naming")]
#[tokio::test]
async fn naming_lists_endpoints_again_through_an_outage() {
    use etcd_client_core::naming::{EndpointChange, Endpoints, ServiceEndpoint};

    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let endpoints = Endpoints::new(&client, "s").expect("a target");
    endpoints.add("s/kept", ServiceEndpoint::new("10.0.0.1"), None).await.expect("added");
    let backup = cluster.member(0).back_up().await.expect("a backup");
    let added = endpoints.add("s/lost", ServiceEndpoint::new("10.0.0.2"), None).await;
    added.unwrap_or_else(|error| panic!("{}", error.report()));
    let mut watch = endpoints.watch().await.expect("a watch");
    assert_eq!(watch.next().await.expect("a batch").expect("no error").len(), 2);
    cluster.member(0).restore(&backup).await.expect("an earlier store");
    refused(&client).await;
    client.accept_cluster().expect("there is a history to accept");
    let batch = timeout(PATIENCE, watch.next()).await.expect("in time").expect("no end").expect("no error");
    assert_eq!(batch, [EndpointChange::Deleted { key: "s/lost".into() }]);
}
