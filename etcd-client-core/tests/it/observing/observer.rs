//! Attempts, calls, phases and connections as an observer sees them.

use std::time::Duration;

use etcd_client_core::{
    CallOptions, Client, Code, ErrorKind, Get, Outcome,
    observe::{AttemptEvent, CallEnd, CallEvent, ConnectionChange, ConnectionPurpose, Observer},
    transport::EndpointPhase,
    types::Endpoint,
};
use etcd_testkit::scripted::{Server, in_turn, reply};
use tokio::time::timeout;

use super::{Recorder, Seen};
use crate::{
    hostile::rig::{PUT, RANGE, Rpc},
    servers::{PATIENCE, eventually},
};

fn client(server: &Server, observer: impl Observer + 'static) -> Client {
    Client::builder([server.endpoint()]).observer(observer).build().expect("valid")
}

/// An attempt that was sent.
fn attempt(operation: &'static str, number: u32, code: Option<Code>, retried: bool) -> Seen {
    let error = code.map(|_| ErrorKind::Server);
    Seen::Attempt { operation, number, sent: true, error, code, retried }
}

fn call(operation: &'static str, attempts: u32, end: CallEnd) -> Seen {
    Seen::Call { operation, attempts, end }
}

#[tokio::test]
async fn retry_is_a_second_attempt_of_one_call() {
    let refused = reply::status(14, "etcdserver: leader changed");
    let script = in_turn([refused.clone(), reply::message(Rpc::Get.right()), refused]);
    let server = Server::start(script).await.expect("a free port");
    let recorder = Recorder::default();
    let client = client(&server, recorder.clone());
    client.get("k").await.expect("the second attempt");
    let error = client.put("k", "v").await.expect_err("not sent again");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!((server.received(RANGE), server.received(PUT)), (2, 1));
    let seen = recorder.calls();
    let Some((Seen::Call { operation: "put", attempts: 1, end }, before)) = seen.split_last() else {
        panic!("{seen:?}")
    };
    let code = Some(Code::LeaderChanged);
    let expected = [
        attempt("get", 1, code, true),
        attempt("get", 2, None, false),
        call("get", 2, CallEnd::Ok),
        attempt("put", 1, code, false),
    ];
    assert_eq!(before, expected);
    let CallEnd::Failed { kind, code: Some(Code::LeaderChanged), outcome, .. } = *end else {
        panic!("{end:?}")
    };
    assert_eq!((kind, outcome), (ErrorKind::Server, Outcome::Unknown));
    let endpoints = recorder.endpoints.lock().expect("not poisoned");
    assert!(endpoints.iter().all(|endpoint| *endpoint == server.endpoint()), "{endpoints:?}");
}

#[tokio::test]
async fn undecodable_response_is_one_failed_attempt() {
    let server = Server::start(in_turn([reply::message("\u{1}")])).await.expect("a free port");
    let recorder = Recorder::default();
    let error = client(&server, recorder.clone()).get("k").await.expect_err("no message");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let seen = recorder.calls();
    assert!(
        matches!(
            seen[..],
            [
                Seen::Attempt { number: 1, error: Some(ErrorKind::Protocol), retried: false, .. },
                Seen::Call { attempts: 1, end: CallEnd::Failed { kind: ErrorKind::Protocol, .. }, .. }
            ]
        ),
        "{seen:?}"
    );
}

#[tokio::test]
async fn abandoned_call_is_reported_as_dropped() {
    let server = Server::start(in_turn([reply::hang()])).await.expect("a free port");
    let recorder = Recorder::default();
    let client = client(&server, recorder.clone());
    client.ready().await.expect("ready");
    timeout(Duration::from_millis(50), client.put("k", "v").into_future()).await.expect_err("no answer");
    assert_eq!(recorder.calls(), [call("put", 0, CallEnd::Dropped)]);
}

#[tokio::test]
async fn call_for_an_unconfigured_endpoint_has_no_attempt() {
    let server = Server::start(in_turn([])).await.expect("a free port");
    let recorder = Recorder::default();
    let other: Endpoint = "http://127.0.0.1:1".parse().expect("valid");
    let error = client(&server, recorder.clone())
        .kv()
        .get(Get::new("k"), CallOptions::default().endpoint(other))
        .await
        .expect_err("not ours");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidRequest, Some("get")));
    let seen = recorder.calls();
    assert!(matches!(seen[..], [Seen::Call { attempts: 0, end: CallEnd::Failed { .. }, .. }]), "{seen:?}");
}

#[tokio::test]
async fn phases_and_connections_follow_a_member_that_dies() {
    use ConnectionChange::{Closed, Opened};
    use ConnectionPurpose::{Calls, Streams};
    let server =
        Server::start(in_turn([reply::message(Rpc::RangeStream.right())])).await.expect("a free port");
    let recorder = Recorder::default();
    let client = client(&server, recorder.clone());
    timeout(PATIENCE, Rpc::RangeStream.call(&client)).await.expect("in time").expect("streamed");
    let phases = || recorder.of(|seen| matches!(seen, Seen::Phase(_) | Seen::Removed));
    let connections =
        |purpose| recorder.of(|seen| matches!(seen, Seen::Connection(of, ..) if *of == purpose));
    let phase = Seen::Phase;
    assert_eq!(phases(), [phase(EndpointPhase::Connecting), phase(EndpointPhase::Ready)]);
    for purpose in [Calls, Streams] {
        assert_eq!(connections(purpose), [Seen::Connection(purpose, Opened, 1)]);
    }
    assert!(matches!(
        recorder.calls()[..],
        [Seen::Attempt { error: None, .. }, Seen::Call { end: CallEnd::Ok, .. }]
    ));
    drop(server);
    eventually("the endpoint is down", async || phases().contains(&phase(EndpointPhase::Down))).await;
    client.close().await;
    for purpose in [Calls, Streams] {
        let expected = [Seen::Connection(purpose, Opened, 1), Seen::Connection(purpose, Closed, 0)];
        assert_eq!(connections(purpose), expected);
    }
    assert_eq!(phases()[2], phase(EndpointPhase::Down));
    client.close().await;
    assert_eq!(recorder.of(|seen| *seen == Seen::Removed).len(), 1, "{:?}", phases());
}

/// Panics whenever it is told anything.
struct Clumsy;

impl Observer for Clumsy {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        panic!("{} is too much", event.operation);
    }

    fn call(&self, event: &CallEvent) {
        panic!("{} is too much", event.operation);
    }
}

#[tokio::test]
async fn panicking_observer_does_not_affect_calls() {
    let server = Server::start(in_turn([reply::message(Rpc::Get.right())])).await.expect("a free port");
    let client = client(&server, Clumsy);
    client.get("k").await.expect("an answer");
}
