//! Watches through `etcd grpc-proxy`, which answers creations in any order, numbers watches itself, and answers some requests for
//! members (etcd issue 12819).
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::{env, time::Duration};

use etcd_client_core::{
    Cache, Client, Error,
    types::KeyRange,
    watch::{WatchStatus, WatchStream},
};
use etcd_testkit::Cluster;
use futures_util::{StreamExt as _, future::join_all};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::{
    servers::{PATIENCE, client, eventually},
    watch::rig::{events, short},
};

/// How many revisions the key has that is watched.
const HISTORY: i64 = 20;

fn setting(name: &str, default: usize) -> usize {
    env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// How a watch of `k` from `start` on went: the revisions it gave up to `last`, or the error that ended it.
async fn followed(watch: Result<WatchStream, Error>, last: i64) -> Result<Vec<i64>, Error> {
    let mut watch = watch?;
    let mut revisions = Vec::new();
    while revisions.last().is_none_or(|seen| *seen < last) {
        let next = timeout(PATIENCE, watch.next()).await;
        match next.unwrap_or_else(|_| panic!("silently short: {revisions:?} of up to {last}, {watch:?}")) {
            Some(Ok(response)) => {
                revisions.extend(response.events.iter().map(|event| event.revision().get()))
            }
            Some(Err(error)) => return Err(error),
            None => panic!("the watch ended without an error"),
        }
    }
    Ok(revisions)
}

/// `ETCD_PROXY_PAIRS=1000` has it create more of them.
#[tokio::test(flavor = "multi_thread")]
async fn watches_of_one_key_from_different_revisions_are_never_swapped() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let direct = client(cluster.endpoints());
    let mut revisions = Vec::new();
    for _ in 0..HISTORY {
        revisions.push(direct.put("k", "v").await.expect("put").header.revision.get());
    }
    let behind = Client::builder([proxy.endpoint()]).timeout(PATIENCE).build().expect("valid");
    let pairs = setting("ETCD_PROXY_PAIRS", 100);
    let started = Instant::now();
    let starts = (0..2 * pairs).map(|_| fastrand::choice(&revisions).copied().expect("some"));
    let starts: Vec<i64> = starts.collect();
    let watches = join_all(starts.iter().map(|start| {
        let watch = behind.watch("k").start_revision(*start);
        async move { watch.await }
    }));
    let watches = watches.await;
    let took = started.elapsed();
    let last = direct.put("k", "last").await.expect("put").header.revision.get();
    revisions.push(last);
    let ended = join_all(watches.into_iter().map(|watch| followed(watch, last))).await;
    let mut failed = 0;
    for (start, seen) in starts.iter().zip(ended) {
        let Ok(seen) = seen else {
            failed += 1;
            continue;
        };
        let due: Vec<i64> = revisions.iter().copied().filter(|revision| revision >= start).collect();
        assert_eq!(seen, due, "a watch from {start} on");
    }
    assert_eq!(failed, 0, "of {} watches, created within {took:?}", 2 * pairs);
}

#[tokio::test]
async fn watches_of_several_clients_of_one_proxy_live_side_by_side() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let clients = [client([proxy.endpoint()]), client([proxy.endpoint()]), client([proxy.endpoint()])];
    let first = clients[0].put("a/1", "1").await.expect("put").header.revision;
    let mut watches = Vec::new();
    // From the second on, the proxy adds them to the watch that it has, and makes up the answers.
    for (n, client) in clients.iter().cycle().take(9).enumerate() {
        let watch = client.watch("a/").prefix();
        let watch = if n % 3 == 0 { watch } else { watch.start_revision(first.next()) };
        watches.push(watch.await.unwrap_or_else(|error| panic!("{}", error.report())));
    }
    for value in ["2", "3"] {
        clients[0].put("a/2", value).await.expect("put");
    }
    for watch in &mut watches {
        let values: Vec<String> = events(watch, 2).await.iter().map(|event| short(event).1).collect();
        assert_eq!(values, ["2", "3"]);
    }
    let absent = clients[1].watch("a/").prefix().start_revision(first.next()).await;
    assert_eq!(events(&mut absent.expect("watch"), 2).await.len(), 2, "the others are as healthy as before");
}

/// Silent spells that are longer than a stream may be silent: the proxy answers the question for a sign of life itself.
/// `ETCD_IDLE_SECONDS=600` has it be idle for as long as it should live.
#[tokio::test]
async fn an_idle_watch_lives() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = client([proxy.endpoint()]);
    let mut watch = client.watch("k").await.expect("watch");
    let idle = Duration::from_secs(setting("ETCD_IDLE_SECONDS", 18) as u64);
    let until = Instant::now() + idle;
    let mut statuses = watch.statuses();
    tokio::select! {
        ended = watch.next() => panic!("after {:?}: {ended:?}", until - Instant::now()),
        () = sleep_until(until) => {}
    }
    let seen = timeout(Duration::ZERO, async { statuses.next().await }).await;
    assert!(matches!(seen, Ok(Some(WatchStatus::Connected { .. }))), "{seen:?}");
    assert_eq!(watch.counters().resumed, 0, "it was not even resumed");
    client.put("k", "v").await.expect("put");
    assert_eq!(events(&mut watch, 1).await.len(), 1);
}

#[tokio::test]
async fn watches_go_on_after_a_restart_of_the_proxy() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = client([proxy.endpoint()]);
    let mut watches = Vec::new();
    for _ in 0..5 {
        watches.push(client.watch("k").await.expect("watch"));
    }
    let cache = Cache::builder(&client, KeyRange::prefix("k")).start().expect("a runtime");
    timeout(PATIENCE, cache.ready()).await.expect("in time").expect("a cache");
    let direct = crate::servers::client(cluster.endpoints());
    for round in 0..3 {
        proxy.kill().expect("it ran");
        direct.put("k", format!("{round}")).await.expect("put");
        proxy.restart().await.expect("it starts");
        for watch in &mut watches {
            let values: Vec<String> = events(watch, 1).await.iter().map(|event| short(event).1).collect();
            assert_eq!(values, [format!("{round}")]);
        }
        eventually("the cache has it", async || {
            let seen = cache.get("k").expect("of its range");
            seen.is_some_and(|kv| kv.value == format!("{round}"))
        })
        .await;
    }
}

/// The proxy leaves out headers where it answers for members, and knows no request for progress.
#[tokio::test]
async fn progress_is_not_supported() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = client([proxy.endpoint()]);
    let watch = client.watch("k").await.expect("watch");
    let error = watch.progress().await.expect_err("nothing to ask");
    assert_eq!(error.kind(), etcd_client_core::ErrorKind::Unsupported, "{}", error.report());
    assert!(!proxy.log_text().contains("not supported request"), "it was not asked");
}

/// The creation is refused for a token that expired while the client was idle.
#[tokio::test(flavor = "multi_thread")]
async fn watches_with_an_expired_token_get_another_one() {
    const TTL: Duration = Duration::from_secs(3);
    let cluster = Cluster::builder().auth("secret").arg("--bcrypt-cost", "4").jwt_ttl("3s");
    let Some(cluster) = cluster.start_or_skip().await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let user = || Client::builder([proxy.endpoint()]).password("root", "secret").build().expect("valid");
    for known in [false, true] {
        // Each with a client that has seen nothing of watches, and one that knows what is there.
        let client = user();
        client.put("k", "before").await.expect("put");
        if known {
            drop(client.watch("k").await.expect("a watch with a valid token"));
        }
        sleep(TTL + Duration::from_secs(1)).await;
        let started = Instant::now();
        let mut watch = client.watch("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
        println!("a watch with an expired token took {:?}, known: {known}", started.elapsed());
        client.put("k", "after").await.unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(short(&events(&mut watch, 1).await[0]).1, "after");
        client.close().await;
    }
}
