//! Peers that end each connection in an orderly way after so many requests, as nginx does.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::scripted::Server;
use tokio::{task::JoinSet, time::Instant};

use super::link::{Link, answer_after};
use crate::hostile::rig::PUT;

const LATENCY: Duration = Duration::from_millis(2);

/// A link to a server with so many requests for each connection.
async fn link(requests: Option<usize>) -> Link {
    let mut builder = Server::builder();
    if let Some(requests) = requests {
        builder = builder.requests_per_connection(requests);
    }
    Link::to(builder.start(answer_after(LATENCY)).await.expect("a free port"))
}

/// So many tasks with so many puts each: how long it took, and how long each put took, in order.
async fn puts(client: &Client, tasks: usize, each: usize) -> (Duration, Vec<Duration>) {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let client = client.clone();
        running.spawn(async move {
            let mut took = Vec::new();
            for n in 0..each {
                let began = Instant::now();
                let put = client.put(format!("k{task}"), "v").await;
                put.unwrap_or_else(|error| panic!("put {n} of task {task}: {}", error.report()));
                took.push(began.elapsed());
            }
            took
        });
    }
    let mut took = Vec::new();
    while let Some(task) = running.join_next().await {
        took.extend(task.expect("no put fails"));
    }
    took.sort();
    (began.elapsed(), took)
}

/// Virtual time: what is measured are waits, not the machine.
#[tokio::test(start_paused = true)]
async fn connections_that_end_after_100_requests_cost_little() {
    let (tasks, each) = (32, 200);
    let unlimited = puts(&link(None).await.builder().build().expect("built"), tasks, each).await.0;
    let link = link(Some(100)).await;
    let client = link.builder().build().expect("built");
    let (limited, took) = puts(&client, tasks, each).await;
    let p99 = took[took.len() * 99 / 100];
    eprintln!("unlimited {unlimited:?}, 100 for each connection {limited:?}, p99 {p99:?}");
    assert!(
        unlimited.as_secs_f64() / limited.as_secs_f64() >= 0.7,
        "{limited:?} where {unlimited:?} would do"
    );
    assert!(p99 < Duration::from_millis(500), "p99 {p99:?}");
    assert_eq!(link.server.applied(PUT), tasks * each, "each put is processed once");
    assert!(link.server.counts(|counts| counts.connections) >= tasks * each / 100);
}

#[tokio::test(start_paused = true)]
async fn no_call_of_500_tasks_fails() {
    let (tasks, each) = (500, 20);
    let link = link(Some(100)).await;
    let client = link.builder().build().expect("built");
    let (all, took) = puts(&client, tasks, each).await;
    let p99 = took[took.len() * 99 / 100];
    eprintln!("{} puts in {all:?}, p99 {p99:?}", took.len());
    assert_eq!(link.server.applied(PUT), tasks * each, "each put is processed once");
}

/// Without an answer in between, an orderly end is no better than another.
#[tokio::test(start_paused = true)]
async fn peer_that_only_sends_goaway_is_dialled_with_backoff() {
    use etcd_testkit::scripted::{Call, Last, Step};
    let script = |_: &Call| {
        vec![
            Step::GoAway { last: Last::Below, reason: 0 },
            Step::Sleep(Duration::from_millis(1)),
            Step::Close,
        ]
    };
    let link = Link::to(Server::start(script).await.expect("a free port"));
    let client = link.builder().timeout(Duration::from_secs(60)).build().expect("built");
    client.put("k", "v").await.expect_err("nothing is ever answered");
    let connections = link.server.counts(|counts| counts.connections);
    assert!((5..100).contains(&connections), "{connections} connections in a minute");
}
