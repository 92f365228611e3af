//! The wait before a retry is cut, so that the attempt after it has some time before the deadline.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_client_core::{Client, ErrorKind, Outcome};
use etcd_testkit::scripted::{Answer, Call, Server, reply};
use tokio::{task::JoinSet, time::Instant};

use crate::http2::link::{Link, answer_after};

fn busy() -> Answer {
    reply::status(8, "etcdserver: too many requests")
}

/// Fails so many calls that the next retry waits for seconds until it is its turn.
async fn spend_the_retry_budget(client: &Client) {
    let mut calls = JoinSet::new();
    for n in 0..600 {
        let client = client.clone();
        calls
            .spawn(async move { client.put(format!("k{n}"), "v").timeout(Duration::from_millis(300)).await });
    }
    while let Some(call) = calls.join_next().await {
        let error = call.expect("joined").expect_err("the member is busy");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
    }
}

#[tokio::test(start_paused = true)]
async fn backoff_leaves_time_for_the_last_attempt() {
    const DEADLINE: Duration = Duration::from_secs(1);
    let link = Link::to(Server::start(|_: &Call| busy()).await.expect("a free port"));
    let client = link.builder().build().expect("built");
    spend_the_retry_budget(&client).await;
    let (first, right) = (AtomicBool::new(true), answer_after(Duration::ZERO));
    link.server
        .play(move |call: &Call| if first.swap(false, Ordering::Relaxed) { busy() } else { right(call) });
    let began = Instant::now();
    client.put("k", "v").timeout(DEADLINE).await.unwrap_or_else(|error| panic!("{}", error.report()));
    let took = began.elapsed();
    assert!((DEADLINE * 8 / 10..DEADLINE).contains(&took), "answered after {took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_retry_without_time_left() {
    const DEADLINE: Duration = Duration::from_secs(1);
    let link = Link::to(Server::start(|_: &Call| busy()).await.expect("a free port"));
    let client = link.builder().build().expect("built");
    spend_the_retry_budget(&client).await;
    let began = Instant::now();
    let error = client.put("k", "v").timeout(DEADLINE).await.expect_err("the member is busy");
    assert!(began.elapsed() < DEADLINE, "the last refusal is the answer: {:?}", began.elapsed());
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotApplied, 2), "{}", error.report());
    assert_ne!(error.kind(), ErrorKind::Timeout, "{}", error.report());
}
