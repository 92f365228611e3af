//! What one call asks to be done differently: when it is sent again, and what it carries.

use etcd_client_core::{CallOptions, Client, Error, ErrorKind, Get, Outcome, Put, request::RetryPolicy};
use etcd_testkit::scripted::{Answer, in_turn, reply};

use super::rig::{PUT, RANGE, Rig, Rpc, once};

fn retry(retry: RetryPolicy) -> CallOptions {
    CallOptions::default().retry(retry)
}

async fn put(client: &Client, options: CallOptions) -> Result<(), Error> {
    client.kv().put(Put::new("k", "v"), options).await.map(drop)
}

async fn get(client: &Client, options: CallOptions) -> Result<(), Error> {
    client.kv().get(Get::new("k"), options).await.map(drop)
}

/// After each of these the call would be sent again: a read always, a write where the outcome says that it was not applied.
fn failures() -> [(Answer, ErrorKind, Outcome); 4] {
    [
        (reply::reset(reply::CANCEL), ErrorKind::Unavailable, Outcome::Unknown),
        (reply::reset(reply::REFUSED_STREAM), ErrorKind::Unavailable, Outcome::NotApplied),
        (reply::status(14, "etcdserver: leader changed"), ErrorKind::Server, Outcome::Unknown),
        (reply::status(8, "etcdserver: too many requests"), ErrorKind::Server, Outcome::NotApplied),
    ]
}

#[tokio::test]
async fn call_without_retries_returns_its_first_failure() {
    let rig = Rig::start().await;
    let client = rig.client();
    for (answer, kind, outcome) in failures() {
        for rpc in [Rpc::Put, Rpc::Get] {
            let what = format!("{rpc:?}: {answer:?}");
            let before = rig.server.received(rpc.path());
            rig.server.play(once(answer.clone(), rpc.right()));
            let (result, outcome) = match rpc {
                Rpc::Put => (put(&client, retry(RetryPolicy::Never)).await, outcome),
                _ => (get(&client, retry(RetryPolicy::Never)).await, Outcome::NotApplied),
            };
            let error = result.expect_err(&what);
            assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{what}: {}", error.report());
            assert_eq!(error.attempts().len(), 1, "{what}: {}", error.report());
            assert_eq!(rig.server.received(rpc.path()) - before, 1, "{what}");
        }
    }
}

#[tokio::test]
async fn write_declared_idempotent_is_retried_like_a_read() {
    let rig = Rig::start().await;
    let client = rig.client();
    for (answer, _, _) in failures() {
        let before = rig.server.received(PUT);
        rig.server.play(once(answer.clone(), Rpc::Put.right()));
        let again = put(&client, retry(RetryPolicy::AssumeIdempotent)).await;
        again.unwrap_or_else(|error| panic!("{answer:?}: {}", error.report()));
        assert_eq!(rig.server.received(PUT) - before, 2, "{answer:?}");
    }
}

#[tokio::test]
async fn first_attempt_keeps_the_outcome_unknown() {
    let rig = Rig::start().await;
    let client = rig.client();
    rig.server
        .play(in_turn([reply::reset(reply::CANCEL), reply::status(7, "etcdserver: permission denied")]));
    let error = put(&client, retry(RetryPolicy::AssumeIdempotent)).await.expect_err("refused");
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::Unknown, 2), "{}", error.report());
    rig.server.play(in_turn([reply::status(13, "boom")]));
    let before = rig.server.received(PUT);
    put(&client, retry(RetryPolicy::AssumeIdempotent)).await.expect_err("final for a read, too");
    assert_eq!(rig.server.received(PUT) - before, 1);
}

#[tokio::test]
async fn metadata_reaches_the_member_with_every_attempt() {
    let rig = Rig::start().await;
    rig.server.play(once(reply::reset(reply::CANCEL), Rpc::Get.right()));
    let options = CallOptions::default()
        .metadata("x-request-id", "42")
        .metadata("x-twice", "a")
        .metadata("x-twice", "b")
        .metadata("x-trace-bin", &b"\x00\xff"[..])
        .require_leader();
    get(&rig.client(), options).await.unwrap_or_else(|error| panic!("{}", error.report()));
    rig.client().get("k").await.expect("answered");
    rig.server.counts(|counts| {
        let calls: Vec<_> = counts.received.iter().filter(|call| call.path == RANGE).collect();
        assert_eq!(calls.len(), 3);
        for call in &calls[..2] {
            assert_eq!(call.headers["x-request-id"], "42");
            assert_eq!(call.headers["hasleader"], "true");
            let twice: Vec<_> = call.headers.get_all("x-twice").iter().collect();
            assert_eq!(twice, ["a", "b"]);
            // Base64 without padding, as gRPC has it.
            assert_eq!(call.headers["x-trace-bin"], "AP8");
        }
        assert!(!calls[2].headers.contains_key("x-request-id"), "of another call");
        assert!(!calls[2].headers.contains_key("hasleader"), "of another call");
    });
}
