//! A peer may change how many requests it allows at a time.

use std::time::Duration;

use etcd_client_core::{ErrorKind, Outcome};
use etcd_testkit::scripted::Server;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::link::{Link, answer_after};
use crate::hostile::rig::PUT;

#[tokio::test(start_paused = true)]
async fn peer_with_a_temporary_limit_of_zero_is_used_again() {
    let server = Server::start(answer_after(Duration::from_millis(1))).await.expect("a free port");
    let link = Link::to(server);
    let client = link.builder().build().expect("built");
    for round in 0..3 {
        client.put("k", "v").await.unwrap_or_else(|error| panic!("round {round}: {}", error.report()));
        link.server.allow_streams(0);
        sleep(Duration::from_millis(10)).await;
        let before = link.server.received(PUT);
        let error = client.put("k", "v").timeout(Duration::from_secs(2)).await.expect_err("none is allowed");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Unavailable, Outcome::NotApplied),
            "{}",
            error.report()
        );
        assert_eq!(link.server.received(PUT), before, "nothing is sent");
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.put("k", "v").await.map(drop) }
        });
        sleep(Duration::from_secs(1)).await;
        link.server.allow_streams(100);
        let allowed = Instant::now();
        waiting.await.expect("joined").unwrap_or_else(|error| panic!("round {round}: {}", error.report()));
        assert!(allowed.elapsed() < Duration::from_millis(100), "noticed after {:?}", allowed.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn changed_stream_limits_are_respected() {
    let server = Server::start(answer_after(Duration::from_millis(10))).await.expect("a free port");
    let link = Link::to(server);
    let client = link.builder().build().expect("built");
    client.put("k", "v").await.expect("put");
    for (limit, most) in [(2, 8), (100, 50)] {
        link.server.allow_streams(limit);
        sleep(Duration::from_millis(10)).await;
        let mut calls = JoinSet::new();
        for n in 0..50 {
            let client = client.clone();
            calls.spawn(async move { client.put(format!("k{n}"), "v").await.map(drop) });
        }
        sleep(Duration::from_millis(5)).await;
        let open = link.server.counts(|counts| counts.open_calls);
        assert!(open <= most && open >= most.min(limit as usize), "{open} at a time with a limit of {limit}");
        while let Some(call) = calls.join_next().await {
            call.expect("joined").unwrap_or_else(|error| panic!("{}", error.report()));
        }
    }
}
