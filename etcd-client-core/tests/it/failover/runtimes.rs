//! Clients outside of a runtime, and clients whose runtime has ended.

use std::{future::IntoFuture, time::Duration};

use etcd_client_core::{CallOptions, Client, Error, ErrorKind, Get, Outcome};
use etcd_testkit::scripted::{Server, in_turn, reply};
use futures_util::FutureExt as _;
use tokio::{runtime::Runtime, time::timeout};

use super::service::{PUT, member};

const PATIENCE: Duration = Duration::from_secs(30);

/// What the call says when it is polled on a thread that knows no runtime.
fn polled_outside<T>(call: impl IntoFuture<Output = Result<T, Error>>) -> Error {
    match call.into_future().now_or_never() {
        Some(Err(error)) => error,
        Some(Ok(_)) => panic!("a call without a runtime succeeds"),
        None => panic!("a call without a runtime waits"),
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

#[test]
fn every_call_outside_of_a_runtime_is_an_error() {
    let error = Client::builder(["http://127.0.0.1:1"]).build().expect_err("no runtime");
    assert_eq!(error.kind(), ErrorKind::NoRuntime);

    let runtime = runtime();
    let (server, client) = runtime.block_on(async {
        let server = member().await;
        let client = Client::builder([server.endpoint()]).build().expect("built");
        client.ready().await.expect("ready");
        (server, client)
    });
    let errors = [
        polled_outside(client.get("k")),
        polled_outside(client.put("k", "v")),
        polled_outside(client.delete("k")),
        polled_outside(client.txn()),
        polled_outside(client.compact(1)),
        polled_outside(client.lease().grant(Duration::from_secs(1))),
        polled_outside(client.lease().list()),
        polled_outside(client.ready()),
        polled_outside(async { client.get("k").pages().next().await.expect("an item") }),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::NoRuntime, Outcome::NotApplied), "{error}");
    }
    assert_eq!(server.received(PUT), 0);
    runtime.block_on(async { client.put("k", "v").await }).expect("inside it works");
}

#[test]
fn client_of_a_dropped_runtime_fails_on_another_runtime() {
    let (first, second) = (runtime(), runtime());
    let server = second.block_on(member());
    let client = first.block_on(async {
        // Without a deadline: nothing but the end of the runtime ends a call.
        let client = Client::builder([server.endpoint()]).no_timeout().build().expect("built");
        client.put("k", "v").await.expect("put");
        client
    });
    second
        .block_on(async { client.put("k", "v").await })
        .expect("another runtime may call while the first lives");
    drop(first);
    second.block_on(async {
        for _ in 0..3 {
            let error = timeout(PATIENCE, client.put("k", "v").into_future()).await.expect("at once");
            let error = error.expect_err("no runtime");
            assert_eq!(error.kind(), ErrorKind::NoRuntime, "{}", error.report());
            assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
            let error = timeout(PATIENCE, client.ready()).await.expect("at once").expect_err("no runtime");
            assert_eq!(error.kind(), ErrorKind::NoRuntime, "{}", error.report());
        }
        server.wait_until(|counts| counts.open_connections == 0).await;
        timeout(PATIENCE, client.close()).await.expect("close ends");
        assert_eq!(client.get("k").await.expect_err("closed").kind(), ErrorKind::Closed);
    });
    assert_eq!(server.received(PUT), 2);
}

#[test]
fn call_in_flight_fails_when_the_runtime_is_dropped() {
    let (first, second) = (runtime(), runtime());
    let server =
        second.block_on(async { Server::start(in_turn([reply::hang()])).await.expect("a free port") });
    let client = first.block_on(async {
        let client = Client::builder([server.endpoint()]).no_timeout().build().expect("built");
        client.ready().await.expect("ready");
        client
    });
    let call = second.spawn(async move { client.put("k", "v").await.map(drop) });
    second.block_on(server.wait_until(|counts| counts.received(PUT) == 1));
    drop(first);
    let error = second.block_on(async { timeout(PATIENCE, call).await.expect("ends") });
    let error = error.expect("joined").expect_err("no runtime");
    assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
    assert_eq!(error.kind(), ErrorKind::NoRuntime, "{}", error.report());
}

#[test]
fn streamed_range_outside_of_a_runtime_is_an_error() {
    let runtime = runtime();
    let chunk = etcd_proto::etcdserverpb::RangeStreamResponse::default();
    let (_server, _client, mut chunks) = runtime.block_on(async {
        let server = Server::start(in_turn([reply::message(prost::Message::encode_to_vec(&chunk))]));
        let server = server.await.expect("a free port");
        let client = Client::builder([server.endpoint()]).build().expect("built");
        let get = Get::new("").all_keys();
        let chunks = client.kv().range_stream(get, CallOptions::default()).await.expect("opens");
        (server, client, chunks)
    });
    let error = polled_outside(async { chunks.next().await.expect("an item") });
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::NoRuntime, Outcome::NotApplied), "{error}");
    assert!(chunks.next().now_or_never().expect("at once").is_none());
}
