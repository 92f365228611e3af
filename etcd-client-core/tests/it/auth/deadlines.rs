//! Each call waits for a token under its own deadline.

use std::time::Duration;

use etcd_client_core::{Client, Code, ErrorKind, Outcome};
use tokio::time::{Instant, sleep};

use super::fake::{INVALID_TOKEN, Member, PASSWORD, USER};

const UNAVAILABLE: (u32, &str) = (14, "etcdserver: request timed out");

#[tokio::test(start_paused = true)]
async fn short_deadline_ends_the_call_but_not_the_renewal() {
    let member = Member::default();
    member.state().hashing = Duration::from_secs(1);
    let client = member.client();
    let start = Instant::now();
    let short = async {
        let result = client.put("k", "v").timeout(Duration::from_millis(50)).await;
        (result, start.elapsed())
    };
    let (long, (short, elapsed)) = tokio::join!(client.put("k", "v").into_future(), short);
    long.expect("it has the time");
    let error = short.expect_err("it has not");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotApplied));
    assert!(error.message().contains("no auth token"), "{error}");
    assert!(elapsed < Duration::from_millis(60), "{elapsed:?}");
    assert_eq!(member.state().authenticates, 1);
}

#[tokio::test(start_paused = true)]
async fn failed_authenticate_is_retried_within_the_deadline() {
    for failure in [UNAVAILABLE, (14, "etcdserver: leader changed"), (14, "proxy is starting")] {
        let member = Member::default();
        member.state().refuses_authenticate = (3, failure);
        member.client().put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(member.state().authenticates, 4);
    }
}

#[tokio::test(start_paused = true)]
async fn error_names_the_failing_authenticate() {
    let member = Member::default();
    member.state().refuses_authenticate = (usize::MAX, UNAVAILABLE);
    let client = member.client();
    let start = Instant::now();
    let error = client.put("k", "v").await.expect_err("no token");
    assert!(start.elapsed() <= Duration::from_millis(5_100), "{:?}", start.elapsed());
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.is_timeout(), "{}", error.report());
    assert_eq!(member.state().applied, 0);
}

#[tokio::test(start_paused = true)]
async fn error_names_the_unreachable_members() {
    let builder = Client::builder(["http://localhost:1"]).password(USER, PASSWORD);
    let client = builder.connector(Nowhere).build().expect("valid");
    let error = client.get("k").timeout(Duration::from_secs(2)).await.expect_err("nobody there");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    assert!(error.report().to_string().contains("nobody lives there"), "{}", error.report());
}

/// Every token is rejected: the call ends by itself, with what etcd said and how often.
#[tokio::test(start_paused = true)]
async fn server_that_rejects_every_token_fails_the_call() {
    let member = Member::default();
    member.state().refuses = Some(INVALID_TOKEN);
    let client = member.client();
    let start = Instant::now();
    let error = client.put("k", "v").no_timeout().await.expect_err("rejected");
    assert_eq!(error.code(), Some(Code::InvalidAuthToken));
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(error.attempts().len(), 9);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(member.state().authenticates, 9);
}

#[tokio::test(start_paused = true)]
async fn closing_the_client_ends_the_wait() {
    let member = Member::default();
    member.state().hashing = Duration::from_secs(4);
    let client = member.client();
    let close = async {
        sleep(Duration::from_secs(1)).await;
        client.close().await;
    };
    let start = Instant::now();
    let (result, ()) = tokio::join!(client.put("k", "v").into_future(), close);
    assert_eq!(result.expect_err("closed").kind(), ErrorKind::Closed);
    assert!(start.elapsed() < Duration::from_millis(1_100), "{:?}", start.elapsed());
}

/// Connects to nobody.
#[derive(Clone, Copy, Debug)]
struct Nowhere;

impl tower_service::Service<etcd_client_core::transport::Target> for Nowhere {
    type Response = tokio::io::DuplexStream;
    type Error = std::io::Error;
    type Future = std::future::Ready<std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: etcd_client_core::transport::Target) -> Self::Future {
        std::future::ready(Err(std::io::Error::other("nobody lives there")))
    }
}
