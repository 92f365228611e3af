//! Clusters restored from a backup, as operators do it: a regression that was seen is remembered until it is accepted, whichever member
//! showed it and however far the store has grown since.

use std::time::Duration;

use etcd_client_core::{
    Cache, Client, ErrorKind, Get, Outcome, Put, cache::CacheStatus, mirror::Mirror,
    transport::EndpointPhase, txn::Op, types::KeyRange, watch::WatchResponseKind,
};
use etcd_testkit::{Cluster, Line};
use tokio::time::timeout;

use crate::{
    replaced::refused,
    servers::{PATIENCE, client, eventually},
};

/// Lets somebody else write until the store has passed this revision.
async fn outgrow(stranger: &Client, revision: i64) {
    while stranger.put("stranger", "v").await.expect("put").header.revision.get() <= revision + 5 {}
}

/// Fails unless a new connection to this endpoint is refused.
async fn assert_refused(client: &Client, endpoint: &str) {
    let only = client.for_endpoint(endpoint).expect("valid");
    let error = only.ready().await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed, "{}", error.report());
    let error = only.put("probe", "v").await.expect_err("refused");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RevisionRegressed, Outcome::NotApplied));
    only.close().await;
}

#[tokio::test]
async fn every_member_of_a_restored_cluster_is_rejected_until_accepted() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let ours = client(cluster.endpoints());
    ours.put("k", "in the backup").await.unwrap_or_else(|error| panic!("{}", error.report()));
    let snapshot = cluster.save_snapshot().await.expect("a snapshot");
    let mut last = 0;
    for n in 0..50 {
        let put = ours.put("k", n.to_string()).await.unwrap_or_else(|error| panic!("{}", error.report()));
        last = put.header.revision.get();
    }
    // Only one endpoint is looked at while the store is small.
    ours.set_endpoints([cluster.member(0).endpoint()]).expect("valid");
    cluster.restore_snapshot(&snapshot, None).await.expect("an earlier store");
    let reason = refused(&ours).await;
    assert!(reason.contains(&format!("revision {last} was seen")), "{reason}");

    let stranger = client(cluster.endpoints());
    outgrow(&stranger, last).await;
    ours.set_endpoints(cluster.endpoints()).expect("valid");
    eventually("all three are refused", async || {
        let states = ours.endpoint_states().next().await.expect("open");
        states.iter().all(|state| state.phase == EndpointPhase::Rejected)
    })
    .await;
    for endpoint in cluster.endpoints() {
        assert_refused(&ours, &endpoint).await;
    }
    let got = stranger.get("probe").await.expect("it answers");
    assert_eq!(got.count, 0, "nothing was written");
    ours.accept_cluster().unwrap_or_else(|error| panic!("{}", error.report()));
    let got = ours.get("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(got.kvs[0].value, "in the backup");
    ours.put("probe", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
}

/// With auth the barrier is denied, and its answer has no revision.
#[tokio::test]
async fn a_regression_is_remembered_with_auth_as_well() {
    let Some(cluster) = Cluster::builder().auth("secret").start_or_skip().await else { return };
    let as_root = || {
        let builder = Client::builder(cluster.endpoints()).password("root", "secret");
        builder.timeout(PATIENCE).build().expect("valid")
    };
    let ours = as_root();
    let backup = cluster.member(0).back_up().await.expect("a backup");
    let mut last = 0;
    for n in 0..20 {
        let put = ours.put("k", n.to_string()).await.unwrap_or_else(|error| panic!("{}", error.report()));
        last = put.header.revision.get();
    }
    cluster.member(0).restore(&backup).await.expect("an earlier store");
    refused(&ours).await;
    outgrow(&as_root(), last).await;
    assert_refused(&ours, cluster.member(0).endpoint()).await;
    ours.accept_cluster().unwrap_or_else(|error| panic!("{}", error.report()));
    ours.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
}

/// `--bump-revision` raises the revision past everything that was seen: the check cannot see it, and `--mark-compacted` ends whatever
/// follows the lost history.
#[tokio::test]
async fn bumped_restore_is_used_and_ends_followers() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    if cluster.version().line() < Line::V3_5 {
        // etcdctl 3.4 does not have the option.
        return;
    }
    let client = client(cluster.endpoints());
    client.put("c/k", "in the backup").await.expect("put");
    let snapshot = cluster.save_snapshot().await.expect("a snapshot");
    let cache = Cache::builder(&client, KeyRange::prefix("c/")).start().expect("a cache");
    let mut plain = client.watch("c/").prefix().await.expect("a watch");
    let mut resyncing = client.watch("c/").prefix().resync().await.expect("a watch");
    client.put("c/k", "lost").await.expect("put");
    let last = client.put("c/gone", "v").await.expect("put").header.revision;
    cache.wait_for_revision(last).await.expect("it follows");

    cluster.restore_snapshot(&snapshot, Some(1_000)).await.expect("a bumped store");
    let put = client.put("c/new", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert!(put.header.revision.get() > last.get() + 900, "{:?}", put.header);
    let ended = timeout(PATIENCE, async {
        loop {
            if let Err(error) = plain.next().await.expect("an error comes first") {
                return error;
            }
        }
    });
    let ended = ended.await.expect("it ends");
    assert!(ended.is_compacted(), "{}", ended.report());
    let resynced = timeout(PATIENCE, async {
        while let Some(response) = resyncing.next().await {
            let response = response.unwrap_or_else(|error| panic!("{}", error.report()));
            if matches!(response.kind, WatchResponseKind::Resynced(_)) {
                return response.events;
            }
        }
        panic!("it ends");
    });
    let events = resynced.await.expect("it resynchronises");
    assert!(events.iter().any(|event| event.is_delete() && event.kv.key == "c/gone"), "{events:?}");
    let stored = async || {
        let got = client.get("c/").prefix().await.unwrap_or_else(|error| panic!("{}", error.report()));
        got.kvs.iter().map(|kv| (kv.key.to_vec(), kv.value.to_vec())).collect::<Vec<_>>()
    };
    eventually("the cache equals the store", async || {
        let pairs = cache.snapshot().expect("listed");
        let pairs: Vec<_> = pairs.iter().map(|kv| (kv.key.to_vec(), kv.value.to_vec())).collect();
        pairs == stored().await && matches!(cache.status(), CacheStatus::Live)
    })
    .await;
    let read = cache.read(Get::new("c/k")).await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(read.kvs[0].value, "in the backup");
}

/// Without a quorum the barrier decides nothing: a restored member whose peers are down is not remembered as one, and once the quorum
/// is there it is.
#[tokio::test]
async fn restored_member_is_checked_once_a_quorum_exists() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let ours = client([cluster.member(0).endpoint()]);
    let snapshot = cluster.save_snapshot().await.expect("a snapshot");
    for n in 0..20 {
        ours.put("k", n.to_string()).await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    cluster.restore_snapshot_stopped(&snapshot, None).await.expect("an earlier store");
    cluster.member(0).launch().await.expect("it starts");
    let error = ours.put("k", "v").timeout(Duration::from_secs(3)).await.expect_err("no quorum");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied));
    cluster.member(1).launch().await.expect("it starts");
    refused(&ours).await;
    let error = ours.put("k", "v").await.expect_err("refused");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RevisionRegressed, Outcome::NotApplied));
}

/// The pages of one listing are of one history: a revision means nothing in another.
#[tokio::test]
async fn pages_and_mirrors_end_with_their_history() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let ours = client(cluster.endpoints());
    // More than one page of a mirror.
    for hundred in 0..15 {
        let puts = (0..100).map(|n| Op::from(Put::new(format!("m/{}", hundred * 100 + n), "v")));
        ours.txn().then(puts.collect::<Vec<_>>()).await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    let snapshot = cluster.save_snapshot().await.expect("a snapshot");
    let mut last = 0;
    for _ in 0..5 {
        let put = ours.put("other", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
        last = put.header.revision.get();
    }
    let mut pages = ours.get("m/").prefix().pages().page_size(10);
    assert_eq!(pages.next().await.expect("a page").expect("no error").kvs.len(), 10);
    let mut mirror = Mirror::new(&ours, KeyRange::prefix("m/"));
    let first = mirror.next().await.expect("a page").expect("no error");
    assert!(first.kvs.len() < 1_500, "one page of several");
    let mut whole = Mirror::new(&ours, KeyRange::prefix("other"));
    while whole.next().await.transpose().expect("no error").is_some() {}

    cluster.restore_snapshot(&snapshot, None).await.expect("an earlier store");
    refused(&ours).await;
    outgrow(&client(cluster.endpoints()), last).await;
    ours.accept_cluster().unwrap_or_else(|error| panic!("{}", error.report()));
    ours.put("other", "new").await.unwrap_or_else(|error| panic!("{}", error.report()));
    // The new store has these revisions as well, and would answer.
    let error = pages.next().await.expect("an error").expect_err("of another history");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed, "{}", error.report());
    assert!(pages.next().await.is_none());
    let error = mirror.next().await.expect("an error").expect_err("of another history");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed, "{}", error.report());
    assert!(mirror.next().await.is_none() && mirror.watch().is_err());
    let updates = whole.watch().expect("it was read to its end").await;
    assert_eq!(updates.expect_err("of another history").kind(), ErrorKind::RevisionRegressed);
}
