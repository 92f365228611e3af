//! Watches whose history is gone.

use etcd_client_core::{
    Client, Error, Revision,
    watch::{WatchResponseKind, WatchStream},
};
use etcd_testkit::Accept;

use super::rig::{end, events, response, short};
use crate::servers::{PATIENCE, client, eventually, lent};

async fn put(client: &Client, key: &str, value: &str) -> Revision {
    client.put(key, value).await.expect("put").header.revision
}

fn is_compacted_at(error: &Error, revision: Revision) {
    assert!(error.is_compacted(), "{}", error.report());
    assert_eq!(error.compact_revision(), Some(revision.get()));
    assert!(error.report().to_string().contains(&format!("begins at revision {revision}")));
}

#[tokio::test]
async fn compacted_start_ends_the_watch_with_the_first_available_revision() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let first = put(&client, "k", "1").await;
    let last = put(&client, "k", "2").await;
    client.compact(last).await.expect("compact");
    let mut sibling = client.watch("k").start_revision(last).await.expect("watch");
    let mut watch = client.watch("k").start_revision(first).await.expect("watch");
    is_compacted_at(&end(&mut watch).await, last);
    // The revision of the compaction itself is still there.
    assert_eq!(events(&mut sibling, 1).await[0].revision(), last);
}

/// Cuts the client off, changes the store and compacts it, and lets the client back in. The revision of the compaction.
async fn miss(proxied: &etcd_testkit::Proxied, direct: &Client, watch: &WatchStream) -> Revision {
    proxied.proxy(0).accept(Accept::Refuse).await;
    proxied.proxy(0).reset();
    eventually("it is lost", async || {
        matches!(watch.status(), etcd_client_core::watch::WatchStatus::Resuming { .. })
    })
    .await;
    direct.delete("dir/old").await.expect("delete");
    put(direct, "dir/undone", "").await;
    direct.delete("dir/undone").await.expect("delete");
    put(direct, "dir/changed", "new").await;
    let last = put(direct, "dir/came", "").await;
    direct.compact(last).await.expect("compact");
    proxied.proxy(0).accept(Accept::Serve).await;
    last
}

#[tokio::test]
async fn a_compaction_while_away_ends_a_watch_once() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let (client, direct) = (client(proxied.endpoints()), client(lent.cluster.endpoints()));
    let mut watch = client.watch("dir/").prefix().await.expect("watch");
    let compacted = miss(&proxied, &direct, &watch).await;
    is_compacted_at(&end(&mut watch).await, compacted);
}

#[tokio::test]
async fn resyncing_watch_resumes_from_a_listing() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let (client, direct) = (client(proxied.endpoints()), client(lent.cluster.endpoints()));
    for key in ["dir/old", "dir/same", "dir/changed"] {
        put(&direct, key, "").await;
    }
    let mut watch = client.watch("dir/").prefix().resync().await.expect("watch");
    let seen = put(&direct, "dir/seen", "").await;
    assert_eq!(events(&mut watch, 1).await[0].revision(), seen);
    let last = miss(&proxied, &direct, &watch).await;
    let resynced = response(&mut watch).await;
    assert_eq!(resynced.kind, WatchResponseKind::Resynced(last));
    let expected = [("dir/changed", "new"), ("dir/came", ""), ("dir/old", "-")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let got: Vec<_> = resynced.events.iter().map(|event| (short(event).0, short(event).1)).collect();
    assert_eq!(got, expected);
    assert_eq!(watch.counters().resynced, 1);
    let after = put(&direct, "dir/after", "").await;
    assert_eq!(events(&mut watch, 1).await[0].revision(), after);
}

#[tokio::test]
async fn a_large_listing_is_read_in_pages() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let (client, direct) = (client(proxied.endpoints()), client(lent.cluster.endpoints()));
    for from in (0..1_200).step_by(100) {
        let puts: Vec<_> =
            (from..from + 100).map(|n| etcd_client_core::Put::new(format!("dir/{n:04}"), "")).collect();
        direct.txn().then(puts).await.expect("txn");
    }
    let mut watch = client.watch("dir/").prefix().resync().await.expect("watch");
    put(&direct, "dir/0000", "").await;
    events(&mut watch, 1).await;
    miss(&proxied, &direct, &watch).await;
    let changed: Vec<String> = response(&mut watch).await.events.iter().map(|event| short(event).0).collect();
    assert_eq!(changed, ["dir/changed", "dir/came"]);
}

#[tokio::test]
async fn slow_reader_behind_a_compaction_misses_nothing_silently() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut watch = client.watch("k").buffer_bytes(2_000).await.expect("watch");
    let first = put(&client, "k", "0").await;
    let mut last = first;
    for n in 1..50 {
        last = put(&client, "k", &n.to_string()).await;
    }
    eventually("it is paused", async || {
        matches!(watch.status(), etcd_client_core::watch::WatchStatus::Paused { .. })
    })
    .await;
    client.compact(last).await.expect("compact");
    let mut next = first;
    loop {
        match super::rig::item(&mut watch).await {
            Some(Ok(response)) => {
                for event in response.events {
                    assert_eq!(event.revision(), next);
                    next = next.next();
                }
            }
            Some(Err(error)) => {
                is_compacted_at(&error, last);
                break;
            }
            None => panic!("ended without a word"),
        }
    }
    assert!(next < last);
}

#[tokio::test]
async fn a_resyncing_watch_may_begin_in_the_future() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let now = put(&client, "dir/old", "").await;
    let start = Revision::new(now.get() + 3);
    let watch = client.watch("dir/").prefix().resync().start_revision(start).timeout(PATIENCE);
    let mut watch = watch.await.expect("created before its start");
    for value in ["1", "2", "3", "4"] {
        put(&client, "dir/new", value).await;
    }
    let got: Vec<_> = events(&mut watch, 2).await.iter().map(|event| short(event).1).collect();
    assert_eq!(got, ["3", "4"]);
}
