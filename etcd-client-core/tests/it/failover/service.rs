//! Scripted members that answer every call under test, and a port where nobody listens.

use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Builder, Call, Server, reply};
use prost::Message as _;

pub(super) const PUT: &str = "/etcdserverpb.KV/Put";
pub(super) const RANGE: &str = "/etcdserverpb.KV/Range";

/// Answers gets and puts.
pub(super) fn answer(call: &Call) -> Answer {
    let header = Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 3, raft_term: 4 });
    match call.path.as_str() {
        PUT => reply::message(pb::PutResponse { header, prev_kv: None }.encode_to_vec()),
        RANGE => {
            let range = pb::RangeResponse { header, kvs: vec![], more: false, count: 0 };
            reply::message(range.encode_to_vec())
        }
        _ => reply::status(12, "unknown method"),
    }
}

pub(crate) async fn member() -> Server {
    started(Server::builder()).await
}

pub(crate) async fn started(builder: Builder) -> Server {
    builder.start(answer).await.expect("the port is free")
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}
