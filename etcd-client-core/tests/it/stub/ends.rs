//! Calls that are dropped, and calls of a client that is closed or has no runtime.

use etcd_client_core::{ErrorKind, Outcome};
use etcd_proto::etcdserverpb::SnapshotRequest;
use etcd_testkit::scripted::{Gate, Step, in_turn, reply};
use futures_util::FutureExt as _;
use tonic::Code;

use super::{
    PUT, SNAPSHOT, assert_sent, cause, first_chunk_then, kv, maintenance, put_answer, put_request, scripted,
    within_patience,
};

#[tokio::test]
async fn a_dropped_response_is_cancelled_on_the_server() {
    let (server, client) = scripted(in_turn([first_chunk_then(Step::Hang)])).await;
    let mut chunks = maintenance(&client).snapshot(SnapshotRequest {}).await.expect("opened").into_inner();
    assert!(chunks.message().await.expect("the first").is_some());
    assert_eq!(server.counts(|counts| counts.open_calls), 1);
    drop(chunks);
    server.wait_until(|counts| counts.open_calls == 0).await;
    assert_eq!(server.counts(|counts| counts.open_connections), 2, "the connections stay");
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_on_the_server() {
    let (server, client) = scripted(in_turn([reply::hang(), put_answer()])).await;
    let call = tokio::spawn({
        let mut kv = kv(&client);
        async move { kv.put(put_request()).await }
    });
    server.wait_until(|counts| counts.received(PUT) == 1).await;
    call.abort();
    assert!(call.await.expect_err("aborted").is_cancelled());
    server.wait_until(|counts| counts.open_calls == 0).await;
    kv(&client).put(put_request()).await.expect("the next call");
    assert_eq!(server.counts(|counts| counts.connections), 1, "the connection stays");
}

#[tokio::test]
async fn closed_client_returns_closed_and_sends_nothing() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    let mut kv = kv(&client);
    kv.put(put_request()).await.expect("put");
    client.close().await;
    let status = within_patience(kv.put(put_request())).await.expect_err("closed");
    let error = cause(&status);
    assert_eq!((status.code(), error.kind()), (Code::Cancelled, ErrorKind::Closed), "{}", error.report());
    assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
    assert!(status.message().contains(PUT), "{status}");
    assert_eq!(server.received(PUT), 1);
}

#[tokio::test]
async fn closing_ends_calls_in_flight_with_unknown_outcome() {
    let gate = Gate::closed();
    let (server, client) = scripted(in_turn([first_chunk_then(Step::Pause(gate))])).await;
    let mut chunks = maintenance(&client).snapshot(SnapshotRequest {}).await.expect("opened").into_inner();
    assert!(chunks.message().await.expect("the first").is_some());
    server.play(in_turn([reply::hang()]));
    let call = tokio::spawn({
        let mut kv = kv(&client);
        async move { kv.put(put_request()).await }
    });
    server.wait_until(|counts| counts.received(PUT) == 1).await;
    client.close().await;
    let put = within_patience(call).await.expect("joined").expect_err("closed");
    assert_sent(&put, Code::Cancelled, Outcome::Unknown, PUT, &server);
    let chunk = within_patience(chunks.message()).await.expect_err("closed");
    assert_sent(&chunk, Code::Cancelled, Outcome::Unknown, SNAPSHOT, &server);
    assert!(cause(&put).is_closed() && cause(&chunk).is_closed());
}

#[tokio::test]
async fn the_last_handle_takes_a_response_with_it() {
    let (server, client) = scripted(in_turn([first_chunk_then(Step::Hang)])).await;
    let mut chunks = maintenance(&client).snapshot(SnapshotRequest {}).await.expect("opened").into_inner();
    assert!(chunks.message().await.expect("the first").is_some());
    drop(client);
    let status = within_patience(chunks.message()).await.expect_err("closed");
    assert_sent(&status, Code::Cancelled, Outcome::Unknown, SNAPSHOT, &server);
    server.wait_until(|counts| counts.open_connections == 0).await;
}

#[test]
fn call_outside_of_a_runtime_is_an_error() {
    let builder = &mut tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
    let (server, client) = runtime.block_on(scripted(in_turn([put_answer()])));
    runtime.block_on(client.ready()).expect("ready");
    let mut kv = kv(&client);
    let status = kv.put(put_request()).now_or_never().expect("at once").expect_err("no runtime");
    let error = cause(&status);
    assert_eq!((status.code(), error.kind()), (Code::FailedPrecondition, ErrorKind::NoRuntime), "{status}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(server.received(PUT), 0);
    runtime.block_on(kv.put(put_request())).expect("inside it works");
}
