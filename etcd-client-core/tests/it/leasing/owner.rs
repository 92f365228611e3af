//! One handle that owns the keys it reads.

use std::time::Duration;

use etcd_client_core::{
    CallOptions, Compare, Delete, Get, Put, Txn,
    txn::{Op, OpResponse, execute},
};
use futures_util::future::join_all;

use super::{cached, pair, put, start, stored, value};
use crate::servers;

#[tokio::test]
async fn cached_pair_equals_that_of_the_member() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-pair/own/", 60).await;
    client.put("l-pair/old", "before").await.expect("put");
    for key in ["l-pair/old", "l-pair/new"] {
        pair(&leasing, key).await;
        for round in ["1", "2"] {
            put(&leasing, key, round).await;
            let found = cached(&leasing, key).await;
            assert_eq!(found, stored(&client, key).await, "{key} after put {round}");
            assert_eq!(found.expect("it exists").value, round);
        }
        leasing.put(key, "").ignore_value().await.expect("touched");
        assert_eq!(cached(&leasing, key).await, stored(&client, key).await);
    }
    let ownership = stored(&client, "l-pair/own/l-pair/old").await.expect("it is owned");
    assert!(ownership.value.is_empty() && ownership.lease.is_some(), "as Go writes it");
}

#[tokio::test]
async fn ranges_are_read_from_the_member() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-range/own/", 60).await;
    for key in ["l-range/k/a", "l-range/k/b", "l-range/k/a/a"] {
        put(&leasing, key, "v").await;
    }
    pair(&leasing, "l-range/k/a").await;
    let count = async |prefix: &str| leasing.get(prefix).prefix().await.expect("read").kvs.len();
    assert_eq!((count("l-range/k/").await, count("l-range/k/a").await), (3, 2));
    let txn = leasing.txn().then(Get::new("l-range/k/").prefix()).await.expect("read");
    assert_eq!(txn.get(0).map(|get| get.kvs.len()), Some(3));
    let mut pages = leasing.get("l-range/k/").prefix().pages().page_size(2);
    let mut listed = 0;
    while let Some(page) = pages.next().await {
        listed += page.expect("a page").kvs.len();
    }
    assert_eq!(listed, 3);
}

#[tokio::test]
async fn key_with_a_lease_is_not_cached() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-lease/own/", 60).await;
    let id = client.lease().grant(Duration::from_secs(60)).await.expect("grant").id;
    client.put("l-lease/k", "v").lease(id).await.expect("put");
    assert_eq!(value(&leasing, "l-lease/k").await.as_deref(), Some("v"));
    // An owned key that gets a lease.
    pair(&leasing, "l-lease/j").await;
    leasing.put("l-lease/j", "v").lease(id).await.expect("put");
    assert_eq!(value(&leasing, "l-lease/j").await.as_deref(), Some("v"));
    assert_eq!(leasing.counters().owned_keys, 0);
    client.lease().revoke(id).await.expect("revoked");
    assert_eq!((value(&leasing, "l-lease/k").await, value(&leasing, "l-lease/j").await), (None, None));
}

#[tokio::test]
async fn options_of_writes_apply() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-options/own/", 60).await;
    client.put("l-options/k", "abc").await.expect("put");
    pair(&leasing, "l-options/k").await;
    let response = leasing.put("l-options/k", "def").prev_kv().await.expect("put");
    assert_eq!(response.prev_kv.expect("it existed").value, "abc");
    assert_eq!(
        cached(&leasing, "l-options/k").await.expect("it exists").mod_revision,
        response.header.revision
    );
    let response = leasing.delete("l-options/k").prev_kv().await.expect("deleted");
    assert_eq!((response.deleted, &response.prev_kvs[0].value[..]), (1, &b"def"[..]));
    let error = leasing.put("l-options/none", "").ignore_value().await.expect_err("it does not exist");
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn earlier_revision_is_read_from_the_member() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-rev/own/", 60).await;
    let first = client.put("l-rev/k", "abc").await.expect("put").header.revision;
    client.put("l-rev/k", "def").await.expect("put");
    pair(&leasing, "l-rev/k").await;
    let old = leasing.get("l-rev/k").revision(first).await.expect("read");
    assert_eq!(old.first().expect("it existed").value, "abc");
    assert_eq!(cached(&leasing, "l-rev/k").await.expect("it exists").value, "def");
}

#[tokio::test]
async fn concurrent_puts_leave_the_latest_pair() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-puts/own/", 60).await;
    pair(&leasing, "l-puts/k").await;
    let puts = join_all((0..16).map(|_| async { leasing.put("l-puts/k", "v").await.expect("put") })).await;
    let last = puts.iter().map(|put| put.header.revision).max();
    let found = cached(&leasing, "l-puts/k").await.expect("it exists");
    assert_eq!((Some(found.mod_revision), found.version.get()), (last, 16));
    assert_eq!(Some(found), stored(&client, "l-puts/k").await);
}

#[tokio::test]
async fn deleted_key_is_owned_and_missing() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-delete/own/", 60).await;
    client.put("l-delete/k", "abc").await.expect("put");
    pair(&leasing, "l-delete/k").await;
    for expected in [1, 0] {
        assert_eq!(leasing.delete("l-delete/k").await.expect("deleted").deleted, expected);
        assert_eq!(cached(&leasing, "l-delete/k").await, None);
    }
}

#[tokio::test]
async fn transaction_that_deletes_updates_the_cache() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-txn/own/", 60).await;
    let deletions = [Delete::new("l-txn/k-1"), Delete::new("l-txn/k-").prefix()];
    for deletion in deletions {
        for key in ["l-txn/k-1", "l-txn/k-2", "l-txn/other"] {
            put(&leasing, key, "v").await;
            pair(&leasing, key).await;
        }
        assert!(leasing.txn().then(deletion).await.expect("applied").succeeded());
        for key in ["l-txn/k-1", "l-txn/k-2", "l-txn/other"] {
            assert_eq!(cached(&leasing, key).await, stored(&client, key).await, "{key}");
        }
        assert_eq!(value(&leasing, "l-txn/k-1").await, None);
    }
}

#[tokio::test]
async fn deleted_range_is_one_revision() {
    let Some(lent) = servers::lent().await else { return };
    let client = servers::client(lent.cluster.endpoints());
    for deletion in [Delete::new("key/").prefix(), Delete::new("kd").from_key()] {
        for number in 0..8 {
            client.put(format!("key/{number}"), "123").await.expect("put");
        }
        let leasing = start(&client, "0/", 60).await;
        pair(&leasing, "key/1").await;
        let deleted = deletion.bind(&leasing).await.expect("deleted");
        assert_eq!(deleted.deleted, 8);
        for number in 0..8 {
            assert_eq!(pair(&leasing, &format!("key/{number}")).await, None);
        }
        let watch = client.watch("key/").prefix().start_revision(deleted.header.revision);
        let response = watch.await.expect("watch").next().await.expect("a response").expect("events");
        assert_eq!(response.events.len(), 8);
        leasing.close().await;
        assert_eq!(client.get("0/").prefix().await.expect("read").count, 0, "every key is released");
    }
}

#[tokio::test]
async fn condition_on_a_range_is_evaluated_by_the_member() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-cmp/own/", 60).await;
    client.put("l-cmp/k", "a").await.expect("put");
    client.put("l-cmp/k2", "a").await.expect("put");
    client.put("l-cmp/k2", "a").await.expect("put");
    pair(&leasing, "l-cmp/k").await;
    let all = Compare::version("l-cmp/k").equal(1).prefix();
    assert!(!leasing.txn().when(all).await.expect("evaluated").succeeded());
}

#[tokio::test]
async fn every_kind_of_operation_is_executed() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-do/own/", 60).await;
    let ops: [Op; 5] = [
        Txn::new().into(),
        Get::new("l-do/a").into(),
        Put::new("l-do/a/abc", "v").into(),
        Delete::new("l-do/a").prefix().into(),
        Txn::new().into(),
    ];
    for op in ops {
        let response = execute(&leasing, op.clone(), CallOptions::default()).await.expect("executed");
        let same = match op {
            Op::Get(_) => matches!(response, OpResponse::Get(_)),
            Op::Put(_) => matches!(response, OpResponse::Put(_)),
            Op::Delete(_) => matches!(response, OpResponse::Delete(_)),
            _ => matches!(response, OpResponse::Txn(_)),
        };
        assert!(same, "{response:?}");
        assert!(response.header().revision.get() > 0);
    }
    assert_eq!(client.get("l-do/a").prefix().await.expect("read").count, 0);
}
