//! Answers that nobody reads stall nobody else.

use std::{future::IntoFuture, pin::Pin, time::Duration};

use bytes::Bytes;
use etcd_client_core::{Client, Error};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use etcd_testkit::scripted::{Call, Server, reply};
use futures_util::FutureExt as _;
use prost::Message as _;

use crate::hostile::rig::{PUT, RANGE, Rpc, header};

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
