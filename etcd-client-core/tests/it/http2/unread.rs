//! Answers that nobody reads stall nobody else.

use std::{future::IntoFuture, pin::Pin, time::Duration};

use bytes::Bytes;
use etcd_client_core::{CallOptions, Client, Error, ErrorKind, Get as GetRequest, Outcome};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use etcd_testkit::scripted::{Call, Server, Step, frame, reply};
use futures_util::FutureExt as _;
use prost::Message as _;

use crate::hostile::rig::{PUT, RANGE, RANGE_STREAM, Rpc, header};

const UNREAD: usize = 12;

const LARGE: usize = 10 << 20;

type Get<'a> = Pin<Box<dyn Future<Output = Result<etcd_client_core::kv::GetResponse, Error>> + Send + 'a>>;

fn large() -> Bytes {
    let kv = mvccpb::KeyValue {
        key: "k".into(),
        value: vec![b'v'; LARGE].into(),
        create_revision: 3,
        mod_revision: 3,
        version: 1,
        lease: 0,
    };
    pb::RangeResponse { header: header(), kvs: vec![kv], more: false, count: 1 }.encode_to_vec().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unpolled_large_responses_do_not_stall_calls() {
    let large = large();
    let script = move |call: &Call| match call.path.as_str() {
        PUT => reply::message(Rpc::Put.right()),
        _ if call.number <= UNREAD => reply::message(large.clone()),
        _ => reply::message(Rpc::Get.right()),
    };
    let server = Server::start(script).await.expect("a free port");
    let client =
        Client::builder([server.endpoint()]).timeout(Duration::from_secs(60)).build().expect("built");
    client.ready().await.expect("ready");
    let mut unread: Vec<Get<'_>> = (0..UNREAD).map(|_| client.get("k").into_future() as Get<'_>).collect();
    for get in &mut unread {
        assert!(get.now_or_never().is_none());
    }
    server.wait_until(|counts| counts.received(RANGE) == UNREAD).await;
    // Long enough for the large answers to fill a window that they share with others.
    for n in 0..2_000 {
        let put = client.put("k", "v").timeout(Duration::from_secs(10)).await;
        put.unwrap_or_else(|error| panic!("put {n}: {}", error.report()));
        let get = client.get("k").timeout(Duration::from_secs(10)).await;
        get.unwrap_or_else(|error| panic!("get {n}: {}", error.report()));
    }
    for get in unread {
        assert_eq!(get.await.expect("answered").kvs[0].value.len(), LARGE);
    }
}

/// The most streams that a client leaves unread: 4 on each of 4 connections.
const STREAMS: usize = 16;

#[tokio::test]
async fn too_many_unread_streams_are_named_as_the_reason() {
    let range = pb::RangeResponse { header: header(), ..Default::default() };
    let chunk = frame::message(pb::RangeStreamResponse { range_response: Some(range) }.encode_to_vec());
    let script = move |call: &Call| match call.path.as_str() {
        RANGE_STREAM => vec![Step::ReadRequest, reply::head(), Step::Data(chunk.clone()), Step::Hang],
        _ => reply::message(Rpc::Get.right()),
    };
    let server = Server::start(script).await.expect("a free port");
    let client =
        Client::builder([server.endpoint()]).timeout(Duration::from_secs(60)).build().expect("built");
    let open = async || client.kv().range_stream(GetRequest::new("k"), CallOptions::default()).await;
    let mut streams = Vec::new();
    for n in 0..STREAMS {
        streams.push(open().await.unwrap_or_else(|error| panic!("stream {n}: {}", error.report())));
    }
    let error = open().await.map(drop).expect_err("one too many");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CapacityExceeded, Outcome::NotApplied));
    let report = error.report().to_string();
    assert!(report.contains("read the open streams to their end, or drop them"), "{report}");
    streams.pop();
    drop(open().await.expect("one was dropped"));
}
