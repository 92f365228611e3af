//! Each kind of RPC on a real member.

use etcd_proto::etcdserverpb::{
    RangeRequest, SnapshotRequest, WatchCreateRequest, WatchRequest, WatchResponse,
    watch_client::WatchClient, watch_request::RequestUnion,
};
use etcd_testkit::Member;
use futures_util::{StreamExt as _, stream};
use tonic::Streaming;

use super::{kv, maintenance, put_request, within_patience};
use crate::servers::{client, eventually, lent, metric, shared};

/// A snapshot ends with the SHA-256 digest of what came before.
const DIGEST: u64 = 32;

#[tokio::test]
async fn unary_calls() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let mut kv = kv(&client);
    let mut request = put_request();
    request.key = "stub/unary".into();
    let put = kv.put(request).await.expect("put").into_inner();
    let request = RangeRequest { key: "stub/unary".into(), ..RangeRequest::default() };
    let range = kv.range(request).await.expect("range").into_inner();
    assert_eq!((range.count, &*range.kvs[0].value), (1, &b"v"[..]));
    assert_eq!(range.kvs[0].mod_revision, put.header.expect("a header").revision);
    assert_eq!(client.get("stub/unary").await.expect("get").kvs[0].value, "v");
}

#[tokio::test]
async fn an_error_of_the_member_comes_as_it_was_sent() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let mut request = put_request();
    request.lease = 4711;
    let status = kv(&client).put(request).await.expect_err("no such lease");
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert_eq!(status.message(), "etcdserver: requested lease not found");
    assert!(std::error::Error::source(&status).is_none(), "{status:?}");
}

#[tokio::test]
async fn a_stream_from_the_member_is_read_to_its_end() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let mut chunks = maintenance(&client).snapshot(SnapshotRequest {}).await.expect("opened").into_inner();
    let (mut size, mut read, mut left) = (None, 0, u64::MAX);
    while let Some(chunk) = within_patience(chunks.message()).await.expect("a chunk") {
        read += chunk.blob.len() as u64;
        left = chunk.remaining_bytes;
        size.get_or_insert(left + read);
    }
    assert_eq!((Some(read), left), (size.map(|size| size + DIGEST), 0));
    kv(&client).put(put_request()).await.expect("the connection goes on");
}

#[tokio::test]
async fn a_watch_lives_until_it_is_dropped() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let member = lent.cluster.member(0);
    let before = watchers(member).await;
    let create = WatchCreateRequest { key: "w".into(), ..WatchCreateRequest::default() };
    let create = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
    let requests = stream::iter([create]).chain(stream::pending());
    let watch = WatchClient::new(client.channel()).watch(requests).await;
    let mut watch = watch.expect("opened").into_inner();
    assert!(next(&mut watch).await.created);
    for value in ["1", "2"] {
        client.put("w", value).await.expect("put");
        let events = next(&mut watch).await.events;
        assert_eq!(events[0].kv.as_ref().expect("a key").value, value);
    }
    assert_eq!(watchers(member).await, before + 1.0);
    drop(watch);
    eventually("the watch is gone", async || watchers(member).await == before).await;
}

async fn next(watch: &mut Streaming<WatchResponse>) -> WatchResponse {
    within_patience(watch.message()).await.expect("no error").expect("not ended")
}

async fn watchers(member: &Member) -> f64 {
    metric(member, "etcd_debugging_mvcc_watcher_total", &[]).await
}
