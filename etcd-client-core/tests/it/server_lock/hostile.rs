//! Locks and elections on servers that answer what no etcd does, late, or not at all.

use std::time::Duration;

use etcd_client_core::{
    CallOptions, Client, Error, ErrorKind, LeaseId, Outcome, election::LeaderKey, request::RetryPolicy,
    transport::EndpointPhase,
};
use etcd_proto::{mvccpb, v3electionpb as election, v3lockpb as lock};
use etcd_testkit::scripted::{Call, Server, Step, in_turn, reply};
use prost::Message as _;
use tokio::time::timeout;

use crate::{
    hostile::rig::header,
    servers::{PATIENCE, eventually},
};

const LOCK: &str = "/v3lockpb.Lock/Lock";
const UNLOCK: &str = "/v3lockpb.Lock/Unlock";
const CAMPAIGN: &str = "/v3electionpb.Election/Campaign";
const PROCLAIM: &str = "/v3electionpb.Election/Proclaim";
const RESIGN: &str = "/v3electionpb.Election/Resign";
const OBSERVE: &str = "/v3electionpb.Election/Observe";

fn lease() -> LeaseId {
    LeaseId::new(7).expect("an id")
}

fn held() -> LeaderKey {
    LeaderKey::new("boss", "boss/7", 3, lease())
}

fn locked(key: &'static str) -> Vec<Step> {
    reply::message(lock::LockResponse { header: header(), key: key.into() }.encode_to_vec())
}

fn leader(key: &'static str) -> Vec<u8> {
    let kv = mvccpb::KeyValue { key: key.into(), value: "v".into(), ..Default::default() };
    election::LeaderResponse { header: header(), kv: Some(kv) }.encode_to_vec()
}

async fn served(script: impl etcd_testkit::scripted::Script) -> (Server, Client) {
    let server = Server::start(script).await.expect("a free port");
    let client = Client::builder([server.endpoint()]).timeout(PATIENCE).build().expect("built");
    (server, client)
}

fn assert_fails<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, outcome: Outcome) {
    let error = result.expect_err("hostile");
    assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{}", error.report());
}

#[tokio::test]
async fn foreign_lock_key_is_rejected() {
    let (server, client) = served(in_turn([])).await;
    for wrong in ["", "jobs", "jobs/8", "accounts"] {
        server.play(in_turn([locked(wrong)]));
        let answer = client.server_lock().lock("jobs", lease()).await;
        assert_fails(answer, ErrorKind::Protocol, Outcome::Unknown);
    }
    server.play(in_turn([locked("jobs/7")]));
    client.server_lock().lock("jobs", lease()).await.expect("what is right is believed");
}

#[tokio::test]
async fn lock_with_a_lost_response_is_not_retried() {
    let (server, client) = served(in_turn([reply::close()])).await;
    let answer = client.server_lock().lock("jobs", lease()).timeout(PATIENCE).await;
    assert_fails(answer, ErrorKind::Unavailable, Outcome::Unknown);
    assert_eq!(server.received(LOCK), 1);
    server.play(in_turn([reply::close()]));
    let answer = client.server_election().campaign("boss", lease(), "me").timeout(PATIENCE).await;
    assert_fails(answer, ErrorKind::Unavailable, Outcome::Unknown);
    assert_eq!(server.received(CAMPAIGN), 1);
    for path in [UNLOCK, PROCLAIM] {
        server.play(in_turn([reply::close()]));
        let answer = match path {
            UNLOCK => client.server_lock().unlock("jobs/7").await.map(drop),
            _ => client.server_election().proclaim(held(), "v").await.map(drop),
        };
        assert_fails(answer, ErrorKind::Unavailable, Outcome::Unknown);
        assert_eq!(server.received(path), 1);
    }
}

#[tokio::test]
async fn unprocessed_lock_is_retried() {
    let refused = reply::reset(reply::REFUSED_STREAM);
    let (server, client) = served(in_turn([refused, locked("jobs/7")])).await;
    client.server_lock().lock("jobs", lease()).await.expect("locked");
    assert_eq!(server.received(LOCK), 2);
}

#[tokio::test]
async fn resignation_with_a_lost_response_is_retried() {
    let resigned = reply::message(election::ResignResponse { header: header() }.encode_to_vec());
    let (server, client) = served(in_turn([reply::close(), resigned])).await;
    client.server_election().resign(held()).await.expect("it names one leadership only");
    assert_eq!(server.received(RESIGN), 2);
}

#[tokio::test]
async fn pending_lock_never_moves_to_another_member() {
    let one = Server::start(|_: &Call| reply::hang()).await.expect("a free port");
    let two = Server::start(|_: &Call| reply::hang()).await.expect("a free port");
    let client = Client::builder([one.endpoint(), two.endpoint()]).build().expect("built");
    eventually("both are ready", async || {
        let states = client.endpoint_states().next().await.expect("states");
        states.iter().all(|state| state.phase == EndpointPhase::Ready)
    })
    .await;
    // Longer than a call that may be repeated waits before it asks another member.
    let options = CallOptions::default().retry(RetryPolicy::AssumeIdempotent).timeout(Duration::from_secs(2));
    let answer = client.server_lock().lock("jobs", lease()).options(options).await;
    assert_fails(answer, ErrorKind::Timeout, Outcome::Unknown);
    assert_eq!(one.received(LOCK) + two.received(LOCK), 1);
}

#[tokio::test]
async fn invalid_leader_ends_the_observation() {
    let (server, client) = served(in_turn([])).await;
    let streams = [
        (reply::message(leader("other/7")), ErrorKind::Protocol),
        (
            reply::message(election::LeaderResponse { header: header(), kv: None }.encode_to_vec()),
            ErrorKind::Protocol,
        ),
        (reply::message(b"\xff\xff".to_vec()), ErrorKind::Protocol),
        (reply::status(7, "etcdserver: permission denied"), ErrorKind::Server),
        // What a member does that cannot go on.
        (vec![Step::ReadRequest, reply::head(), reply::trailers("0", "")], ErrorKind::Unavailable),
    ];
    for (answer, kind) in streams {
        server.play(in_turn([answer]));
        let mut leaders = client.server_election().observe("boss").await.expect("a stream");
        let first = timeout(PATIENCE, leaders.next()).await.expect("in time").expect("an error");
        assert_fails(first, kind, Outcome::NotApplied);
        assert!(leaders.next().await.is_none(), "an error is the last");
    }
}

#[tokio::test]
async fn observation_requires_a_leader_and_ends_on_drop() {
    let open = vec![Step::ReadRequest, reply::head(), Step::Hang];
    let (server, client) = served(move |_: &Call| open.clone()).await;
    let mut leaders = client.server_election().observe("boss").await.expect("a stream");
    assert_eq!(server.received(OBSERVE), 0, "nothing is sent before it is read");
    tokio::select! {
        first = leaders.next() => panic!("nobody leads: {first:?}"),
        () = server.wait_until(|counts| counts.received(OBSERVE) == 1) => {}
    }
    let asked = server.counts(|counts| counts.received.last().map(|request| request.headers.clone()));
    assert_eq!(asked.expect("a request").get("hasleader").map(|value| value.as_bytes()), Some(&b"true"[..]));
    drop(leaders);
    eventually("the server is told", async || server.counts(|counts| counts.open_calls == 0)).await;
}
