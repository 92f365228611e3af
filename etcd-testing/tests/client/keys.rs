//! Keys and transactions.

use etcd_client_core::{Compare, Get, Put};

use crate::{member, member_without_sockets};

#[tokio::test]
async fn a_client_writes_and_reads_over_tcp() {
    let (_etcd, client) = member().await;
    let put = client.put("greeting", "hello").await.expect("a put");
    assert_eq!(put.header.revision.get(), 2);
    let found = client.get("greeting").await.expect("a get");
    assert_eq!(found.kvs[0].value, "hello");
    assert_eq!(found.kvs[0].version, 1);
}

#[tokio::test]
async fn a_transaction_takes_one_branch() {
    let (_etcd, client) = member_without_sockets().await;
    let created = Compare::create_revision("lock").equal(0);
    let txn = || {
        let put = Put::new("lock", "me");
        client.txn().when(created.clone()).then(put).or_else(Get::new("lock"))
    };
    assert!(txn().await.expect("a transaction").succeeded());
    assert!(!txn().await.expect("a transaction").succeeded());
}

#[tokio::test]
async fn errors_have_the_texts_of_etcd() {
    let (_etcd, client) = member_without_sockets().await;
    let error = client.get("a").revision(99).await.expect_err("a future revision");
    assert_eq!(error.code(), Some(etcd_client_core::Code::FutureRev));
    client.put("a", "1").await.expect("a put");
    client.compact(2).await.expect("a compaction");
    let error = client.get("a").revision(1).await.expect_err("a compacted revision");
    assert_eq!(error.code(), Some(etcd_client_core::Code::Compacted));
}
