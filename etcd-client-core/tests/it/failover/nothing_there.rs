//! No endpoint can be reached: the build does not care, calls and `ready` say why at their deadline.

use std::{
    future::{Ready, pending, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, Error, ErrorKind, Outcome, transport::Target, types::Address};
use etcd_testkit::scripted::{Raw, Server};
use tokio::{io::DuplexStream, time::Instant};
use tower_service::Service;

use super::service::{RANGE, free_port, started};

type Connecting = Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>>;

/// Refuses the host `refused` and keeps every other one waiting for ever, without touching the network.
#[derive(Clone, Debug)]
struct Nowhere;

impl Service<Target> for Nowhere {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Connecting {
        let refusal: Ready<io::Result<DuplexStream>> = ready(Err(io::ErrorKind::ConnectionRefused.into()));
        match target.endpoint.address() {
            Address::Tcp { host, .. } if &**host == "refused" => Box::pin(refusal),
            _ => Box::pin(pending()),
        }
    }
}

const ENDPOINTS: [&str; 2] = ["http://refused:1", "http://silent:1"];

fn reason<'a>(error: &'a Error, endpoint: &str) -> &'a str {
    let found = error.attempts().iter().find(|attempt| attempt.endpoint() == endpoint);
    found.unwrap_or_else(|| panic!("{endpoint} is not in {}", error.report())).reason()
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_and_names_each_endpoints_reason() {
    const DEADLINE: Duration = Duration::from_secs(12);
    let client = Client::builder(ENDPOINTS).connector(Nowhere).timeout(DEADLINE).build().expect("built");
    for _ in 0..3 {
        let started = Instant::now();
        let error = client.put("k", "v").await.expect_err("nothing there");
        assert_eq!(started.elapsed().as_secs(), DEADLINE.as_secs());
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied));
        assert!(reason(&error, ENDPOINTS[0]).contains("refused"), "{}", error.report());
        assert!(reason(&error, ENDPOINTS[1]).contains("no response within 5 s"), "{}", error.report());
        assert!(error.attempts().iter().all(|attempt| !attempt.sent()), "{}", error.report());
        let report = error.report().to_string();
        assert!(ENDPOINTS.iter().all(|endpoint| report.contains(endpoint)), "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn call_timeout_overrides_the_clients() {
    let client = Client::builder(ENDPOINTS).connector(Nowhere).build().expect("built");
    let started = Instant::now();
    let error = client.get("k").timeout(Duration::from_millis(250)).await.expect_err("nothing there");
    assert_eq!(started.elapsed().as_millis() / 10, 25);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let started = Instant::now();
    client.get("k").await.expect_err("nothing there");
    assert_eq!(started.elapsed().as_secs(), 5, "the default");
}

#[tokio::test(start_paused = true)]
async fn call_without_a_deadline_waits() {
    let client = Client::builder(ENDPOINTS).connector(Nowhere).no_timeout().build().expect("built");
    let day = Duration::from_secs(24 * 3600);
    let waited = tokio::time::timeout(day, client.get("k").into_future()).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn ready_names_each_endpoints_reason() {
    let client = Client::builder(ENDPOINTS).connector(Nowhere).build().expect("built");
    let error = client.wait_ready(Duration::from_secs(8)).await.expect_err("nothing there");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, Some("ready")));
    assert!(reason(&error, ENDPOINTS[0]).contains("refused"), "{}", error.report());
    assert!(reason(&error, ENDPOINTS[1]).contains("no response"), "{}", error.report());
}

#[tokio::test]
async fn ready_names_the_behavior_of_real_peers() {
    let http1 = Server::raw(Raw::http1()).await.expect("a free port");
    let refused = format!("http://127.0.0.1:{}", free_port());
    let unresolved = "http://no-such-host.invalid:2379";
    let endpoints = [refused.as_str(), unresolved, &http1.endpoint()];
    let client = Client::builder(endpoints).build().expect("an unreachable host is no reason not to build");
    let error = loop {
        let error = client.wait_ready(Duration::from_millis(300)).await.expect_err("nothing there");
        // Name lookups may take their time.
        if error.attempts().iter().all(|attempt| attempt.reason() != "not connected yet") {
            break error;
        }
    };
    assert_eq!(error.attempts().len(), 3, "{}", error.report());
    assert!(reason(&error, &refused).contains("refused"), "{}", error.report());
    assert!(reason(&error, &http1.endpoint()).contains("HTTP/2"), "{}", error.report());
    assert!(!reason(&error, unresolved).is_empty(), "{}", error.report());
}

/// The chain of causes, and what it ends with.
fn root(error: &Error) -> &(dyn std::error::Error + 'static) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}

#[tokio::test]
async fn unavailable_carries_its_cause() {
    let client = Client::builder([format!("http://127.0.0.1:{}", free_port())]).build().expect("valid");
    // Until the first attempt to connect has failed, there is no cause.
    crate::servers::eventually("the port refused", async || {
        let error = client.wait_ready(Duration::from_millis(50)).await.expect_err("nothing there");
        error.to_string().contains("refused")
    })
    .await;
    for _ in 0..2 {
        let limit = Duration::from_millis(300);
        let put = client.put("k", "v").timeout(limit).await.expect_err("nothing there");
        let watch = client.watch("k").timeout(limit).await.expect_err("nothing there");
        let ready = client.wait_ready(limit).await.expect_err("nothing there");
        for error in [put, watch, ready] {
            let shown = error.to_string();
            assert!(shown.contains("no endpoint was ready within ") && shown.contains("refused"), "{shown}");
            assert!(!shown.contains('\n'), "{shown}");
            let root = root(&error).downcast_ref::<io::Error>().expect("the real cause");
            assert_eq!(root.kind(), io::ErrorKind::ConnectionRefused, "{shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unavailable_counts_other_reasons() {
    let client = Client::builder(ENDPOINTS).connector(Nowhere).build().expect("built");
    let error = client.wait_ready(Duration::from_secs(8)).await.expect_err("nothing there");
    let shown = error.to_string();
    assert!(shown.contains("http://refused:1: ") && shown.ends_with("refused, and 1 more"), "{shown}");
}

#[tokio::test]
async fn first_call_waits_for_a_server_that_starts_later() {
    let port = free_port();
    let builder = Client::builder([format!("http://127.0.0.1:{port}")]).timeout(Duration::from_secs(60));
    let client = builder.build().expect("built");
    client.wait_ready(Duration::from_millis(100)).await.expect_err("nothing there yet");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.get("k").await.map(drop) }
    });
    let server = started(Server::builder().port(port)).await;
    waiting.await.expect("joined").unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(server.received(RANGE), 1);
    client.ready().await.expect("ready");
}
