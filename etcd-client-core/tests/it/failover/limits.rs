//! The member's limit of concurrent streams is kept, and calls queue for it.

use std::time::Duration;

use etcd_client_core::{Client, ErrorKind};
use etcd_testkit::scripted::{Counts, Gate, Server, Step};
use tokio::task::JoinSet;

use super::service::{self, PUT, started};

const CALLS: usize = 50;

/// The connections to one member at most.
const CONNECTIONS: usize = 4;

async fn all_succeed(client: &Client, mut each: impl FnMut(usize)) {
    let mut calls = JoinSet::new();
    for n in 0..CALLS {
        let client = client.clone();
        calls.spawn(async move { client.put(format!("k{n}"), "v").await.map(drop) });
        each(n);
    }
    while let Some(done) = calls.join_next().await {
        done.expect("joined").unwrap_or_else(|error| panic!("{}", error.report()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_stream_at_a_time() {
    let server = started(Server::builder().max_concurrent_streams(1)).await;
    let client =
        Client::builder([server.endpoint()]).timeout(Duration::from_secs(60)).build().expect("built");
    for _ in 0..5 {
        all_succeed(&client, |_| {}).await;
    }
    let seen = |counts: &Counts| (counts.received(PUT), counts.resets);
    assert_eq!(server.counts(seen), (5 * CALLS, 0));
    let (calls, connections) = server.counts(|counts| (counts.peak_calls, counts.connections));
    assert!(
        calls <= connections && connections <= CONNECTIONS,
        "{calls} calls at once on {connections} connections"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_queued_calls_free_their_place() {
    let server = started(Server::builder().max_concurrent_streams(1)).await;
    let gate = Gate::closed();
    server.play({
        let gate = gate.clone();
        move |call: &etcd_testkit::scripted::Call| {
            let mut steps = service::answer(call);
            steps.insert(1, Step::Pause(gate.clone()));
            steps
        }
    });
    let client =
        Client::builder([server.endpoint()]).timeout(Duration::from_secs(60)).build().expect("built");
    let mut first = JoinSet::new();
    for n in 0..CONNECTIONS {
        let client = client.clone();
        first.spawn(async move { client.put(format!("k{n}"), "v").await.map(drop) });
    }
    server.wait_until(|counts| counts.received(PUT) == CONNECTIONS).await;
    let error = client.put("k", "v").timeout(Duration::from_millis(50)).await.expect_err("no free stream");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    assert_eq!(server.received(PUT), CONNECTIONS);
    gate.open();
    while let Some(done) = first.join_next().await {
        done.expect("joined").expect("answered");
    }
    all_succeed(&client, |_| {}).await;
    let seen = |counts: &Counts| (counts.peak_calls, counts.connections, counts.resets);
    assert_eq!(server.counts(seen), (CONNECTIONS, CONNECTIONS, 0));
}

#[tokio::test]
async fn a_member_without_any_stream_is_named() {
    let server = started(Server::builder().max_concurrent_streams(0)).await;
    let client =
        Client::builder([server.endpoint()]).timeout(Duration::from_millis(300)).build().expect("built");
    let error = client.get("k").await.expect_err("no stream");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    assert!(error.report().to_string().contains(&server.endpoint()), "{}", error.report());
}
