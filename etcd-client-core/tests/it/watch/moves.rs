//! What happens to watches when their member, its connections or the client go away.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::time::Duration;

use etcd_client_core::{
    CallOptions, Client, ErrorKind, Revision,
    request::RetryPolicy,
    watch::{WatchStatus, WatchStream},
};
use etcd_testkit::{Accept, Cluster, Direction, Fault};
use tokio::time::{Instant, timeout};

use super::rig::{end, events, item, pairs, response};
use crate::{
    servers::{PATIENCE, client, eventually, lent},
    tap::Tap,
};

/// The position, among the members, of the one that sends this watch's events.
async fn member_of(watch: &WatchStream, endpoints: &[String]) -> usize {
    let mut found = None;
    eventually("the watch has a member", async || {
        if let WatchStatus::Connected { endpoint: Some(endpoint), .. } = watch.status() {
            found = endpoints.iter().position(|known| known == endpoint.as_str());
        }
        found.is_some()
    })
    .await;
    found.expect("one of the members")
}

async fn put(client: &Client, value: usize) -> Revision {
    let put = client.put("k", value.to_string()).timeout(PATIENCE).await.expect("put");
    put.header.revision
}

/// Reads the next events, which must be of `values` in order.
async fn reads(watch: &mut WatchStream, values: std::ops::Range<usize>) {
    let expected: Vec<_> = values.map(|value| ("k".to_owned(), value.to_string())).collect();
    assert_eq!(pairs(watch, expected.len()).await, expected);
}

#[tokio::test]
async fn dropped_connection_loses_no_event() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let client = client(proxied.endpoints());
    let direct = crate::servers::client(lent.cluster.endpoints());
    let mut idle = client.watch("k").created_notify().await.expect("watch");
    let mut watch = client.watch("k").await.expect("watch");
    response(&mut idle).await;
    for round in 0..5 {
        proxied.proxy(0).accept(Accept::Refuse).await;
        proxied.proxy(0).reset();
        put(&direct, 2 * round).await;
        put(&direct, 2 * round + 1).await;
        proxied.proxy(0).accept(Accept::Serve).await;
        reads(&mut watch, 2 * round..2 * round + 2).await;
    }
    assert!(watch.counters().resumed >= 5, "{:?}", watch.counters());
    // Never told twice that it was created, and nothing missed although it was not read.
    reads(&mut idle, 0..10).await;
}

/// How many connections come and go while a watch is created.
const DROPPED: usize = 10;

#[tokio::test]
async fn a_watch_is_created_while_connections_come_and_go() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let (client, direct) = (client(proxied.endpoints()), client(lent.cluster.endpoints()));
    // Each of the first connections is reset as soon as it was served, at whatever stage of the creation that is; later ones
    // live, however long a creation takes here.
    let dropping = async {
        for served in 1..=DROPPED {
            proxied.proxy(0).wait_until(|counts| counts.served >= served).await;
            proxied.proxy(0).reset();
        }
        std::future::pending::<()>().await
    };
    let created = async {
        let mut watch = client.watch("k").timeout(PATIENCE).await.expect("watch");
        // Not through the proxy: a write that is cut off there is in doubt.
        put(&direct, 1).await;
        watch.next().await
    };
    tokio::select! {
        () = dropping => unreachable!(),
        got = timeout(PATIENCE, created) => assert!(got.expect("in time").expect("open").is_ok()),
    }
    assert!(proxied.proxy(0).counts().served > DROPPED, "connections were dropped");
}

/// Puts for as long as it takes; what a member that dies may have applied is applied once more.
async fn put_again(client: &Client, value: usize) {
    let options = CallOptions::default().timeout(PATIENCE).retry(RetryPolicy::AssumeIdempotent);
    client.put("k", value.to_string()).options(options).await.expect("put");
}

/// Reads from the event of `first` up to that of `last`; those of one put that was applied twice count once, and the second of
/// the put before `first` may come late.
async fn reads_up_to(watch: &mut WatchStream, first: usize, last: usize) -> Vec<usize> {
    let mut values: Vec<usize> = Vec::new();
    while values.last() != Some(&last) {
        let read = response(watch).await.events.into_iter();
        values.extend(
            read.map(|event| event.kv.value_str().expect("text").parse::<usize>().expect("a number")),
        );
        values.dedup();
        if first > 0 && values.first() == Some(&(first - 1)) {
            values.remove(0);
        }
    }
    values
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_members_lose_no_event() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let mut watch = client.watch("k").await.expect("watch");
    let mut next = 0;
    for how in ["kill", "terminate", "pause"] {
        put_again(&client, next).await;
        put_again(&client, next + 1).await;
        let index = member_of(&watch, &cluster.endpoints()).await;
        let member = cluster.member(index);
        let began = Instant::now();
        match how {
            "kill" => member.kill().expect("killed"),
            "terminate" => member.terminate().expect("terminated"),
            _ => member.pause().await.expect("stopped"),
        }
        put_again(&client, next + 2).await;
        assert_eq!(reads_up_to(&mut watch, next, next + 2).await, [next, next + 1, next + 2]);
        println!("{how}: events again after {:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(15), "{how}: {:?}", began.elapsed());
        // A member that was terminated may have delivered all of it on its way out; it is left when it has ended.
        eventually("it has moved", async || member_of(&watch, &cluster.endpoints()).await != index).await;
        if how == "pause" {
            member.resume().expect("goes on");
        } else {
            member.wait_exit().await.expect("ended");
            member.launch().await.expect("launched");
        }
        member.wait_healthy(PATIENCE).await.expect("healthy");
        next += 3;
    }
}

#[tokio::test]
async fn watches_leave_a_member_without_a_leader() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let mut watch = client.watch("k").await.expect("watch");
    let index = member_of(&watch, &cluster.endpoints()).await;
    cluster.isolate(index).expect("isolated");
    eventually("it has moved", async || member_of(&watch, &cluster.endpoints()).await != index).await;
    put(&client, 1).await;
    reads(&mut watch, 1..2).await;
    cluster.heal_peer_links();
}

/// The stream of the watch answers all the while: calls on another connection find out that the member is silent.
#[tokio::test]
async fn watches_leave_an_ejected_member() {
    let Some(lent) = lent().await else { return };
    // Two ways to one member, each an endpoint.
    let ways = [0, 1].map(|_| lent.cluster.proxied().expect("proxies"));
    let endpoints: Vec<String> = ways.iter().flat_map(etcd_testkit::Proxied::endpoints).collect();
    let client = client(&endpoints);
    let mut watch = client.watch("k").await.expect("watch");
    let index = member_of(&watch, &endpoints).await;
    let (left, other) = (&ways[index], &ways[1 - index]);
    // The oldest connection is the one for calls.
    left.proxy(0).connections()[0].fault(Direction::Both, Fault::Blackhole);
    let pinned = CallOptions::default().endpoint(endpoints[index].parse().expect("an endpoint"));
    client.get("k").options(pinned).await.expect("a fresh connection serves");
    eventually("it has moved", async || member_of(&watch, &endpoints).await != index).await;
    assert!(other.proxy(0).counts().open > 0);
    put(&client, 1).await;
    reads(&mut watch, 1..2).await;
}

#[tokio::test]
async fn a_closed_client_ends_its_watches_once() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let mut watch = client.watch("k").await.expect("watch");
    let mut other = client.watch("k").start_revision(1_000_000).await.expect("watch");
    client.close().await;
    for watch in [&mut watch, &mut other] {
        assert_eq!(end(watch).await.kind(), ErrorKind::Closed);
        assert!(matches!(watch.status(), WatchStatus::Ended { error: Some(_) }));
    }
    let error = client.watch("k").await.expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_watch_keeps_its_client_alive() {
    let Some(lent) = lent().await else { return };
    let tap = Tap::default();
    let other = client(lent.cluster.endpoints());
    let client = Client::builder(lent.cluster.endpoints()).connector(tap.clone()).build().expect("valid");
    let mut watch = client.watch("kept-alive").await.expect("watch");
    drop(client);
    other.put("kept-alive", "v").await.expect("put");
    let response = item(&mut watch).await.expect("open").expect("an event");
    assert_eq!(response.events[0].kv.key, "kept-alive");
    watch.progress().await.expect("its client still calls");
    let mut events = watch.events();
    other.put("kept-alive", "w").await.expect("put");
    events.next().await.expect("open").expect("an event");
    drop(events);
    eventually("the connections are dropped", async || tap.handles() == 1).await;
}

#[tokio::test]
async fn a_cancelled_watch_ends_without_an_error_in_every_state() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let client = client(proxied.endpoints());
    let mut watch = client.watch("k").await.expect("watch");
    let mut other = client.watch("k").await.expect("watch");
    watch.cancel();
    assert!(item(&mut watch).await.is_none());
    assert!(matches!(watch.status(), WatchStatus::Ended { error: None }));
    proxied.proxy(0).accept(Accept::Refuse).await;
    proxied.proxy(0).reset();
    eventually("it is lost", async || matches!(other.status(), WatchStatus::Resuming { .. })).await;
    other.cancel();
    assert!(item(&mut other).await.is_none());
    let late = client.watch("k").timeout(Duration::from_millis(300)).await.expect_err("nobody is there");
    assert_eq!(late.kind(), ErrorKind::Unavailable, "{}", late.report());
}

#[tokio::test]
async fn history_is_read_in_order_after_a_long_absence() {
    let Some(lent) = lent().await else { return };
    let proxied = lent.cluster.proxied().expect("proxies");
    let client = client(proxied.endpoints());
    let direct = crate::servers::client(lent.cluster.endpoints());
    let first = put(&direct, 0).await;
    put(&direct, 1).await;
    let mut watch = client.watch("k").start_revision(first).await.expect("watch");
    proxied.proxy(0).accept(Accept::Refuse).await;
    proxied.proxy(0).reset();
    for value in 2..3_000 {
        put(&direct, value).await;
    }
    proxied.proxy(0).accept(Accept::Serve).await;
    let all = events(&mut watch, 3_000).await;
    assert!(all.iter().zip(first.get()..).all(|(event, revision)| event.revision() == revision));
}
