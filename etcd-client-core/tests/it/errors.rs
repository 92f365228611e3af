//! Errors that only a server with certain settings gives.

use std::time::Duration;

use etcd_client_core::{
    Client, Code, Error, ErrorKind, Get, LeaseId, Outcome, Put, error::GrpcCode, request::Limits, txn::Op,
};
use etcd_testkit::Cluster;

use crate::servers::{client, shared};

const MIB: usize = 1024 * 1024;

/// A client that leaves it to the server to refuse.
fn unlimited(cluster: &Cluster) -> Client {
    let limits = Limits::default().max_request_bytes(usize::MAX).max_send_bytes(usize::MAX).max_txn_ops(1000);
    Client::builder(cluster.endpoints()).limits(limits).build().expect("built")
}

fn assert_server(error: &Error, code: Code, outcome: Outcome) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(code)), "{error}");
    assert_eq!(error.outcome(), outcome, "{error}");
    assert!(!error.report().to_string().is_empty() && error.attempts().len() == 1, "{}", error.report());
}

#[tokio::test]
async fn server_rejects_large_requests_and_long_txns() {
    let Some(cluster) = shared() else { return };
    let client = unlimited(cluster);
    let error = client.put("errors/large", vec![0; 3 * MIB / 2]).await.expect_err("above 1.5 MiB");
    assert_server(&error, Code::RequestTooLarge, Outcome::NotApplied);
    let error = client.put("errors/large", vec![0; 3 * MIB]).await.expect_err("above 2 MiB");
    assert_server(&error, Code::Other(GrpcCode::ResourceExhausted), Outcome::NotApplied);
    let error = client.txn().then(vec![Get::new("k"); 129]).await.expect_err("129 operations");
    assert_server(&error, Code::TooManyOps, Outcome::NotApplied);
    assert_eq!(client.get("errors/large").await.expect("get").count, 0);
}

/// The local limits are the server's own: whatever passes here passes there, to the byte.
#[tokio::test]
async fn the_largest_request_that_is_sent_is_accepted() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    client.txn().then(vec![Get::new("k"); 128]).await.expect("128 operations");
    let mut refused_at = None;
    for left in (0..120).rev() {
        let put = client.put("errors/largest", vec![0; 3 * MIB / 2 - left]);
        match put.await {
            Ok(_) => assert_eq!(refused_at, None, "{left}"),
            Err(error) if error.code() == Some(Code::RequestTooLarge) => {
                refused_at.get_or_insert_with(|| (left, error.kind()));
            }
            Err(error) => panic!("{left}: {error}"),
        }
    }
    assert!(refused_at.is_some(), "1.5 MiB and its key pass");
}

/// A read-only Txn is not proposed: only what gRPC receives bounds it.
#[tokio::test]
async fn a_large_read_only_txn_passes() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let gets =
        |n: usize| (0..n).map(|i| Get::new([vec![b'k'; 17_000], vec![i as u8]].concat())).collect::<Vec<_>>();
    let txn = client.txn().then(gets(100)).await.expect("1.7 MB");
    assert_eq!(txn.responses().len(), 100);
    let mut ops: Vec<Op> = gets(100).into_iter().map(Op::from).collect();
    ops.push(Put::new("k", "v").into());
    let error = client.txn().then(ops).await.expect_err("with a write it is proposed");
    assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidRequest, Some(Code::RequestTooLarge)));
}

#[tokio::test]
async fn full_database_rejects_writes_and_serves_reads() {
    let builder = Cluster::builder().arg("--quota-backend-bytes", "1000000");
    let Some(cluster) = builder.start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    client.put("small", "v").await.expect("put");
    let mut applied = 0;
    let error = loop {
        match client.put(format!("big/{applied}"), vec![0; 200_000]).await {
            Ok(_) => applied += 1,
            Err(error) => break error,
        }
        // The size counts when it is committed, every 100 ms.
        assert!(applied < 2000, "the quota does not bite");
    };
    // The write that exceeds the quota may be applied together with the alarm it raises.
    assert_server(&error, Code::NoSpace, Outcome::Unknown);
    assert!(error.is_no_space());
    let error = client.txn().then(Put::new("other", vec![0; 200_000])).await.expect_err("no space");
    assert!(error.is_no_space());
    let lease = client.lease().grant(Duration::from_secs(60)).id(LeaseId::new(5).expect("not zero")).await;
    assert!(lease.expect_err("an alarm is raised").is_no_space());
    assert_eq!(client.get("small").await.expect("get").count, 1);
    client.txn().then(Get::new("small")).await.expect("a read-only txn");
    assert_eq!(client.delete("small").await.expect("delete").deleted, 1);
    client.compact(2).await.expect("compact");
}
