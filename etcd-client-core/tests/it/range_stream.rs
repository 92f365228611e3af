//! Where a member has RangeStream, pages use it; elsewhere they do without, and nobody can tell by the answer.

use etcd_client_core::{CallOptions, Client, Code, ErrorKind, Get, KeyValue, Put};
use etcd_testkit::{Cluster, Line};

use crate::{
    conformance::collect,
    servers::{client, lent, metric},
};

fn streams(cluster: &Cluster) -> bool {
    cluster.version().line() >= Line::V3_7
}

/// How many calls of an RPC the member has seen.
async fn calls(cluster: &Cluster, rpc: &str) -> f64 {
    let label = format!("grpc_method=\"{rpc}\"");
    metric(cluster.member(0), "grpc_server_started_total", &[&label]).await
}

async fn written(client: &Client, keys: usize) -> Vec<KeyValue> {
    for chunk in (0..keys).collect::<Vec<_>>().chunks(100) {
        let puts = chunk.iter().map(|i| Put::new(format!("s/{i:04}"), format!("v{i}")));
        client.txn().then(puts.collect::<Vec<_>>()).await.expect("txn");
    }
    client.get("s/").prefix().await.expect("get").kvs
}

#[tokio::test]
async fn pages_are_streamed_where_the_member_can() {
    let Some(lent) = lent().await else { return };
    let cluster = lent.cluster;
    let client = client(cluster.endpoints());
    let all = written(&client, 500).await;
    for _ in 0..2 {
        let (ranges, streamed) = (calls(cluster, "Range").await, calls(cluster, "RangeStream").await);
        let (kvs, _) = collect(client.get("s/").prefix().pages()).await;
        assert_eq!(kvs, all);
        let ranges = calls(cluster, "Range").await - ranges;
        let streamed = calls(cluster, "RangeStream").await - streamed;
        if streams(cluster) {
            assert_eq!((ranges, streamed), (1.0, 1.0), "the first page, then one stream");
        } else {
            // Ten keys, then twice as many each time.
            assert_eq!((ranges, streamed), (6.0, 0.0));
        }
    }
    let streamed = calls(cluster, "RangeStream").await;
    let few = client.get("s/").prefix().limit(100).min_mod_revision(1);
    assert_eq!(collect(few.pages()).await.0, all[..100], "filters are not streamed");
    assert_eq!(calls(cluster, "RangeStream").await, streamed);
}

#[tokio::test]
async fn streamed_range_equals_a_get() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let all = written(&client, 300).await;
    let at = all[0].mod_revision;
    for (name, get) in [
        ("prefix", Get::new("s/").prefix()),
        ("from a key on", Get::new("s/0100").from_key()),
        ("a limit", Get::new("s/").prefix().limit(150)),
        ("keys only", Get::new("s/").prefix().keys_only()),
        ("an old revision", Get::new("s/").prefix().revision(at)),
        ("serializable", Get::new("s/").prefix().serializable()),
        ("one key", Get::new("s/0000")),
        ("nothing", Get::new("t")),
    ] {
        let opened = client.kv().range_stream(get.clone(), CallOptions::default()).await;
        if !streams(lent.cluster) {
            let unsupported = match opened {
                Err(error) => error,
                Ok(mut stream) => stream.next().await.expect("an error").expect_err(name),
            };
            assert_eq!(unsupported.kind(), ErrorKind::Unsupported, "{name}: {unsupported}");
            continue;
        }
        let mut stream = opened.expect(name);
        let mut kvs = Vec::new();
        while let Some(chunk) = stream.next().await {
            kvs.extend(chunk.expect(name).kvs);
        }
        assert_eq!(kvs, get.bind(client.kv()).await.expect(name).kvs, "{name}");
    }
}

#[tokio::test]
async fn streamed_range_reports_compaction_like_a_get() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let at = written(&client, 20).await[0].mod_revision;
    let newest = client.put("s/0000", "new").await.expect("put").header.revision;
    client.compact(newest).await.expect("compact");
    let get = Get::new("s/").prefix().revision(at);
    let by_get = get.clone().bind(client.kv()).await.expect_err("compacted");
    assert_eq!(by_get.code(), Some(Code::Compacted));
    if streams(lent.cluster) {
        let by_stream = match client.kv().range_stream(get.clone(), CallOptions::default()).await {
            Err(error) => error,
            Ok(mut stream) => stream.next().await.expect("an error").expect_err("compacted"),
        };
        assert_eq!((by_stream.code(), by_stream.kind()), (by_get.code(), by_get.kind()));
    }
    let by_pages = get.bind(client.kv()).pages().next().await.expect("an error").expect_err("compacted");
    assert_eq!(by_pages.code(), by_get.code());
}

#[tokio::test]
async fn options_ignored_by_streams_are_rejected() {
    use etcd_client_core::kv::{SortOrder, SortTarget};
    // Nothing listens there: what is sent fails in another way.
    let client = Client::builder(["http://127.0.0.1:1"]).build().expect("valid");
    let all = || Get::new("s/").prefix();
    for (field, get) in [
        ("sort", all().sort(SortTarget::Key, SortOrder::Descend)),
        ("count_only", all().count_only()),
        ("min_mod_revision", all().min_mod_revision(1)),
        ("max_mod_revision", all().max_mod_revision(1)),
        ("min_create_revision", all().min_create_revision(1)),
        ("max_create_revision", all().max_create_revision(1)),
    ] {
        let error = client.kv().range_stream(get, CallOptions::default()).await.expect_err(field);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some(field)), "{error}");
    }
}
