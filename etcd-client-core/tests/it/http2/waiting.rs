//! Calls that wait for a peer with few streams: first come, first served.

use std::time::Duration;

use etcd_client_core::{Client, ErrorKind, LeaseId, error::ErrorTopic};
use etcd_proto::v3lockpb as lock;
use etcd_testkit::scripted::{Call, Server, Step, reply};
use prost::Message as _;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::link::{Link, answer_after};
use crate::hostile::rig::header;

const CALLERS: u32 = 2_000;

/// The connections to one member at most.
const CONNECTIONS: u32 = 4;

const LATENCY: Duration = Duration::from_millis(4);

const LOCK: &str = "/v3lockpb.Lock/Lock";
const CAMPAIGN: &str = "/v3electionpb.Election/Campaign";
const UNLOCK: &str = "/v3lockpb.Lock/Unlock";

async fn link(limit: u32) -> Link {
    let server = Server::builder().max_concurrent_streams(limit).start(answer_after(LATENCY)).await;
    Link::to(server.expect("a free port"))
}

/// Every caller calls again and again: none is overtaken for long, and none fails.
#[tokio::test(start_paused = true)]
async fn queued_callers_are_served_in_turn() {
    for limit in [1, 2, 100] {
        let link = link(limit).await;
        let client = link.builder().build().expect("built");
        // As many connections as there will be.
        while link.server.counts(|counts| counts.open_connections) < CONNECTIONS as usize {
            burst(&client, 50 * limit, 1).await;
        }
        let slowest = burst(&client, CALLERS, 3).await;
        let ideal = LATENCY * CALLERS / (limit * CONNECTIONS);
        assert!(
            slowest <= 3 * ideal,
            "limit {limit}: the slowest took {slowest:?}, its turn comes after {ideal:?}"
        );
        assert_eq!(link.server.counts(|counts| counts.resets), 0);
    }
}

/// So many callers with so many calls each; how long the slowest call took.
async fn burst(client: &Client, callers: u32, rounds: u32) -> Duration {
    let mut calls = JoinSet::new();
    for n in 0..callers {
        let client = client.clone();
        calls.spawn(async move {
            let mut slowest = Duration::ZERO;
            for _ in 0..rounds {
                let began = Instant::now();
                client.put(format!("k{n}"), "v").await?;
                slowest = slowest.max(began.elapsed());
            }
            Ok::<_, etcd_client_core::Error>(slowest)
        });
    }
    let mut slowest = Duration::ZERO;
    while let Some(call) = calls.join_next().await {
        let took = call.expect("joined").unwrap_or_else(|error| panic!("{}", error.report()));
        slowest = slowest.max(took);
    }
    slowest
}

#[tokio::test(start_paused = true)]
async fn a_call_for_one_endpoint_waits_in_the_same_queue() {
    let link = link(1).await;
    let client = link.builder().build().expect("built");
    while link.server.counts(|counts| counts.open_connections) < CONNECTIONS as usize {
        burst(&client, 50, 1).await;
    }
    let others = tokio::spawn({
        let client = client.clone();
        async move { burst(&client, 400, 1).await }
    });
    sleep(Duration::from_millis(1)).await;
    let endpoint = client.endpoints()[0].clone();
    let options = etcd_client_core::CallOptions::default().endpoint(endpoint);
    let began = Instant::now();
    client.kv().put(etcd_client_core::Put::new("k", "v"), options).await.expect("put");
    let took = began.elapsed();
    let ideal = LATENCY * 400 / CONNECTIONS;
    assert!((ideal / 2..=2 * ideal).contains(&took), "{took:?}, its turn comes after {ideal:?}");
    others.await.expect("joined");
}

/// The members are in order, so the report must not advise to check whether etcd is running.
#[tokio::test(start_paused = true)]
async fn a_call_without_a_free_slot_blames_the_limit() {
    let script = |call: &Call| match call.path.as_str() {
        "/etcdserverpb.KV/Put" => vec![Step::ReadRequest, Step::Hang],
        _ => answer_after(LATENCY)(call),
    };
    let server = Server::builder().max_concurrent_streams(1).start(script).await;
    let link = Link::to(server.expect("a free port"));
    let client = link.builder().build().expect("built");
    client.ready().await.expect("ready");
    let mut hanging = JoinSet::new();
    for n in 0..2 * CONNECTIONS {
        let client = client.clone();
        hanging.spawn(async move { client.put(format!("k{n}"), "v").no_timeout().await });
    }
    sleep(Duration::from_secs(1)).await;
    let error = client.get("k").await.expect_err("every slot is in use");
    assert_eq!((error.kind(), error.topic()), (ErrorKind::Unavailable, Some(ErrorTopic::Capacity)));
    let report = error.report().to_string();
    assert!(report.contains("at its limit of concurrent calls for 5.0 s"), "{report}");
    assert!(report.contains("make fewer calls at a time") && !report.contains("etcd is running"), "{report}");
}

/// A server on which every Lock and Campaign waits for ever.
async fn locked(limit: u32) -> Link {
    let script = |call: &Call| match call.path.as_str() {
        LOCK | CAMPAIGN => vec![Step::ReadRequest, Step::Hang],
        UNLOCK => reply::message(lock::UnlockResponse { header: header() }.encode_to_vec()),
        _ => answer_after(LATENCY)(call),
    };
    let server = Server::builder().max_concurrent_streams(limit).start(script).await;
    Link::to(server.expect("a free port"))
}

#[tokio::test(start_paused = true)]
async fn waiting_locks_and_campaigns_leave_the_slots_of_others_alone() {
    for limit in [1, 2, 100] {
        let link = locked(limit).await;
        let client = link.builder().build().expect("built");
        client.ready().await.expect("ready");
        let lease = LeaseId::new(7).expect("an id");
        let mut waiting = JoinSet::new();
        for n in 0..400 {
            let client = client.clone();
            waiting.spawn(async move {
                if n % 2 == 0 {
                    client.server_lock().lock("jobs", lease).await.map(drop)
                } else {
                    client.server_election().campaign("boss", lease, "me").await.map(drop)
                }
            });
        }
        let held = |limit: u32| (limit * CONNECTIONS).min(400) as usize;
        let received = |path| link.server.received(path);
        while received(LOCK) + received(CAMPAIGN) < held(limit) {
            sleep(Duration::from_millis(10)).await;
        }
        sleep(Duration::from_secs(5)).await;
        let began = Instant::now();
        for _ in 0..20 {
            timeout(Duration::from_secs(5), async { client.server_lock().unlock("jobs/7").await })
                .await
                .expect("a slot is free")
                .unwrap_or_else(|error| panic!("{}", error.report()));
            client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
        }
        assert!(began.elapsed() < Duration::from_secs(1), "limit {limit}: {:?}", began.elapsed());
        assert!(received(LOCK) + received(CAMPAIGN) <= held(limit), "no more than the peer allows");
    }
}
