//! Runs the stubs on tonic's own channel and the server trait on tonic's own server, to show that a tool needs only
//! this crate.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use etcd_proto::etcdserverpb::kv_client::KvClient;
use etcd_proto::etcdserverpb::kv_server::{Kv, KvServer};
use etcd_proto::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse,
    RangeRequest, RangeResponse, RangeStreamResponse, ResponseHeader, TxnRequest, TxnResponse,
};
use etcd_proto::mvccpb::KeyValue;
use prost::bytes::Bytes;
use tonic::codegen::{BoxStream, async_trait};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Response, Status};

const LIMIT: Duration = Duration::from_secs(20);

/// Single keys only; each put is one revision.
#[derive(Default)]
struct Memory {
    puts: Mutex<Vec<PutRequest>>,
}

impl Memory {
    fn key_values(&self) -> BTreeMap<Bytes, KeyValue> {
        let mut found: BTreeMap<Bytes, KeyValue> = BTreeMap::new();
        for (put, revision) in
            self.puts.lock().expect("no test panics while it holds the lock").iter().zip(2..)
        {
            let kv = found.entry(put.key.clone()).or_insert_with(|| KeyValue {
                key: put.key.clone(),
                create_revision: revision,
                ..Default::default()
            });
            kv.mod_revision = revision;
            kv.version += 1;
            kv.value = put.value.clone();
        }
        found
    }

    fn header(&self) -> Option<ResponseHeader> {
        let puts = self.puts.lock().expect("no test panics while it holds the lock").len();
        Some(ResponseHeader { revision: 1 + i64::try_from(puts).expect("few puts"), ..Default::default() })
    }
}

#[async_trait]
impl Kv for Memory {
    type RangeStreamStream = BoxStream<RangeStreamResponse>;

    async fn range(&self, request: Request<RangeRequest>) -> Result<Response<RangeResponse>, Status> {
        let kvs: Vec<KeyValue> = self.key_values().remove(&request.into_inner().key).into_iter().collect();
        let count = i64::try_from(kvs.len()).expect("at most one");
        Ok(Response::new(RangeResponse { header: self.header(), kvs, count, ..Default::default() }))
    }

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let request = request.into_inner();
        if request.key.is_empty() {
            return Err(Status::invalid_argument("etcdserver: key is not provided"));
        }
        self.puts.lock().expect("no test panics while it holds the lock").push(request);
        Ok(Response::new(PutResponse { header: self.header(), ..Default::default() }))
    }

    async fn range_stream(
        &self,
        _: Request<RangeRequest>,
    ) -> Result<Response<Self::RangeStreamStream>, Status> {
        Err(Status::unimplemented("range_stream"))
    }

    async fn delete_range(
        &self,
        _: Request<DeleteRangeRequest>,
    ) -> Result<Response<DeleteRangeResponse>, Status> {
        Err(Status::unimplemented("delete_range"))
    }

    async fn txn(&self, _: Request<TxnRequest>) -> Result<Response<TxnResponse>, Status> {
        Err(Status::unimplemented("txn"))
    }

    async fn compact(&self, _: Request<CompactionRequest>) -> Result<Response<CompactionResponse>, Status> {
        Err(Status::unimplemented("compact"))
    }
}

/// Serves on a free port until the test's runtime ends.
fn serve() -> SocketAddr {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = incoming.local_addr().expect("it is bound");
    let server = Server::builder().add_service(KvServer::new(Memory::default()));
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

#[tokio::test]
async fn a_plain_tonic_channel_puts_and_gets() {
    tokio::time::timeout(LIMIT, async {
        let endpoint = Endpoint::from_shared(format!("http://{}", serve())).expect("a valid address");
        let mut kv = KvClient::new(endpoint.connect().await.expect("the server listens"));

        for (value, revision) in [("one", 2), ("two", 3)] {
            let put = PutRequest { key: "k".into(), value: value.into(), ..Default::default() };
            let header = kv.put(put).await.expect("stored").into_inner().header.expect("always set");
            assert_eq!(header.revision, revision);
        }

        let range = RangeRequest { key: "k".into(), ..Default::default() };
        let found = kv.range(range).await.expect("answered").into_inner();
        assert_eq!(found.count, 1);
        let expected = KeyValue {
            key: "k".into(),
            value: "two".into(),
            create_revision: 2,
            mod_revision: 3,
            version: 2,
            lease: 0,
        };
        assert_eq!(found.kvs, [expected]);

        let status = kv.put(PutRequest::default()).await.expect_err("an empty key");
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, "etcdserver: key is not provided")
        );
    })
    .await
    .expect("finished in time");
}
