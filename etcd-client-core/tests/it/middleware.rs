//! Clients whose calls go through a service: middleware around a channel, and services of another kind.

use std::{
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, Code, ErrorKind, Outcome};
use etcd_testkit::scripted::{Answer, Server, frame, in_turn, reply};
use http::{HeaderValue, Request, Response};
use tokio::time::{Instant, timeout};
use tonic::body::Body;
use tower::{Service, ServiceBuilder};

use crate::{
    hostile::rig::{PUT, RANGE, Rpc},
    http2::link::Link,
    servers::{PATIENCE, client, eventually},
};

const SHORT: Duration = Duration::from_millis(300);

/// A server, and a client whose calls are counted and marked before they reach its channel.
struct Rig {
    server: Server,
    client: Client,
    calls: Arc<AtomicUsize>,
}

impl Rig {
    async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Server::start(in_turn(answers)).await.expect("a free port");
        let own = Client::builder([server.endpoint()]).build().expect("valid");
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let layers = ServiceBuilder::new().map_request(move |mut request: Request<Body>| {
            count.fetch_add(1, Ordering::Relaxed);
            request.headers_mut().insert("traceparent", HeaderValue::from_static("00-1-2-01"));
            request
        });
        let client = own.with_service(layers.service(own.channel()));
        client.ready().await.expect("the server runs");
        Self { server, client, calls }
    }
}

#[tokio::test]
async fn a_layer_adds_a_header_to_every_call() {
    let rig = Rig::answering([reply::message(Rpc::Get.right())]).await;
    let get = rig.client.get("k").require_leader().await.expect("an answer");
    assert_eq!(get.first().expect("one pair").value, "v");
    assert_eq!(rig.calls.load(Ordering::Relaxed), 1);
    rig.server.counts(|counts| {
        let call = counts.received.iter().find(|call| call.path == RANGE).expect("received");
        for (name, value) in
            [("traceparent", "00-1-2-01"), ("hasleader", "true"), ("client-api-version", "3.7")]
        {
            assert_eq!(call.headers[name], value);
        }
    });
}

#[tokio::test]
async fn a_call_is_one_attempt_and_its_error_is_the_one_of_the_table() {
    let cases = [
        (
            reply::status(11, "etcdserver: mvcc: required revision has been compacted"),
            ErrorKind::Server,
            Some(Code::Compacted),
            Outcome::NotApplied,
        ),
        (
            reply::status(14, "etcdserver: leader changed"),
            ErrorKind::Server,
            Some(Code::LeaderChanged),
            Outcome::Unknown,
        ),
        (reply::reset(reply::CANCEL), ErrorKind::Unavailable, None, Outcome::Unknown),
        (reply::html(503), ErrorKind::Unavailable, None, Outcome::Unknown),
        (reply::message("\u{1}"), ErrorKind::Protocol, None, Outcome::Unknown),
        (
            reply::body([frame::message(""), frame::message("")].concat()),
            ErrorKind::Protocol,
            None,
            Outcome::Unknown,
        ),
    ];
    for (answer, kind, code, outcome) in cases {
        let rig = Rig::answering([answer.clone()]).await;
        let put = rig.client.put("k", "v").await.expect_err("an error");
        let get = rig.client.get("k").await.expect_err("an error");
        assert_eq!(
            (put.kind(), put.outcome(), put.operation()),
            (kind, outcome, Some("put")),
            "{}",
            put.report()
        );
        assert_eq!(
            (get.kind(), get.outcome(), get.operation()),
            (kind, Outcome::NotApplied, Some("get")),
            "{}",
            get.report()
        );
        if code.is_some() {
            assert_eq!((put.code(), get.code()), (code, code));
        }
        assert_eq!((rig.server.received(PUT), rig.server.received(RANGE)), (1, 1), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_a_call() {
    let link = Link::to(Server::start(in_turn([reply::hang()])).await.expect("a free port"));
    let own = link.builder().timeout(SHORT).build().expect("valid");
    let client = own.with_service(own.channel());
    client.ready().await.expect("the server runs");
    let started = Instant::now();
    let error = client.put("k", "v").await.expect_err("hangs");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown), "{}", error.report());
    assert!((SHORT..SHORT * 11 / 10).contains(&started.elapsed()), "{:?}", started.elapsed());
}

/// A service that knows the deadline says what a call waited for.
#[tokio::test]
async fn unconnected_channel_fails_at_the_deadline() {
    let own = Client::builder(["http://127.0.0.1:1"]).timeout(SHORT).build().expect("valid");
    let error = own.with_service(own.channel()).put("k", "v").await.expect_err("nobody there");
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Unavailable, Outcome::NotApplied),
        "{}",
        error.report()
    );
    assert!(error.report().to_string().contains("http://127.0.0.1:1"), "{}", error.report());
}

#[tokio::test]
async fn closing_ends_calls_in_flight_and_later_ones() {
    let rig = Rig::answering([reply::hang()]).await;
    let put = rig.client.put("k", "v").no_timeout().into_future();
    let close = async {
        eventually("the put has arrived", async || rig.server.received(PUT) == 1).await;
        rig.client.close().await;
    };
    let (error, ()) = timeout(PATIENCE, async { tokio::join!(put, close) }).await.expect("in time");
    let error = error.expect_err("closed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Closed, Outcome::Unknown), "{}", error.report());
    let error = rig.client.get("k").await.expect_err("closed");
    assert_eq!((error.kind(), rig.calls.load(Ordering::Relaxed)), (ErrorKind::Closed, 1));
}

#[tokio::test]
async fn client_over_a_service_has_no_endpoints() {
    let server = Server::start(in_turn([reply::message(Rpc::Get.right())])).await.expect("a free port");
    let own = client([server.endpoint()]);
    let over = Client::over_service(own.channel()).expect("a runtime");
    over.get("k").await.expect("an answer");
    assert_eq!(over.ready().await.expect_err("no connections").kind(), ErrorKind::Unsupported);
    assert_eq!(over.endpoint_states().next().await.expect("a state").len(), 0);
    let mut kv = etcd_proto::etcdserverpb::kv_client::KvClient::new(over.channel());
    let call = timeout(PATIENCE, kv.put(etcd_proto::etcdserverpb::PutRequest::default())).await;
    let error = etcd_errors::tonic::from_status(call.expect("at once").expect_err("no connections"));
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unsupported, Outcome::NotApplied));
    over.close().await;
    assert_eq!(over.get("k").await.expect_err("closed").kind(), ErrorKind::Closed);
    own.get("k").await.expect("its service is left alone");
}

/// The service goes on, so that nothing but the client itself can end the call.
#[tokio::test]
async fn closing_a_client_over_a_service_ends_its_calls_in_flight() {
    let server = Server::start(in_turn([reply::hang()])).await.expect("a free port");
    let own = client([server.endpoint()]);
    let over = Client::over_service(own.channel()).expect("a runtime");
    let put = over.put("k", "v").no_timeout().into_future();
    let close = async {
        eventually("the put has arrived", async || server.received(PUT) == 1).await;
        over.close().await;
    };
    let (error, ()) = timeout(PATIENCE, async { tokio::join!(put, close) }).await.expect("in time");
    let error = error.expect_err("closed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Closed, Outcome::Unknown), "{}", error.report());
}

/// Is never ready, or refuses.
#[derive(Clone)]
struct Broken {
    ready: bool,
}

impl Service<Request<Body>> for Broken {
    type Response = Response<Body>;
    type Error = std::io::Error;
    type Future = Ready<Result<Response<Body>, std::io::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(if self.ready { Ok(()) } else { Err(std::io::Error::other("out of order")) })
    }

    fn call(&mut self, _request: Request<Body>) -> Self::Future {
        ready(Err(std::io::Error::other("out of order")))
    }
}

#[tokio::test]
async fn failing_service_leaves_the_outcome_unknown_unless_not_ready() {
    for (ready, outcome) in [(false, Outcome::NotApplied), (true, Outcome::Unknown)] {
        let client = Client::over_service(Broken { ready }).expect("a runtime");
        let error = client.put("k", "v").await.expect_err("broken");
        assert_eq!(error.outcome(), outcome, "{}", error.report());
        assert!(error.to_string().contains("out of order"), "{error}");
        let error = client.get("k").await.expect_err("broken");
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
}
