//! Handles whose member is down.

use std::time::Duration;

use etcd_client_core::{Compare, Get, KeyValue, Put, Txn, txn::TxnResponse};
use etcd_testkit::Cluster;

use super::{cached, pair, put, start};
use crate::servers;

/// Long enough for slow machines: the member stays down, so every request fails at its timeout.
const SHORT: Duration = Duration::from_millis(500);

#[tokio::test]
async fn owned_keys_are_served_while_the_member_is_down() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "own/", 600).await;
    client.put("k", "abc").await.expect("put");
    pair(&leasing, "k").await;
    pair(&leasing, "none").await;
    let second = leasing.put("k", "def").await.expect("put").header.revision;
    cluster.member(0).kill().expect("killed");

    let found = cached(&leasing, "k").await.expect("it exists");
    assert_eq!((found.mod_revision, found.version.get(), &found.value[..]), (second, 2, &b"def"[..]));
    assert_eq!(cached(&leasing, "none").await, None);
    let get = || leasing.get("k");
    for request in [
        get().keys_only(),
        get().limit(1),
        get().min_create_revision(1),
        get().min_mod_revision(1),
        get().serializable(),
        get().keys_only().limit(1).min_mod_revision(1).serializable(),
        get().timeout(Duration::from_nanos(1)),
    ] {
        assert_eq!(request.await.expect("served").kvs.len(), 1);
    }
    leasing.get("other").timeout(SHORT).await.expect_err("it is not owned");
}

#[tokio::test]
async fn serializable_get_needs_no_quorum() {
    let Some(cluster) = Cluster::builder().members(2).start_or_skip().await else { return };
    let client = servers::client([cluster.member(0).endpoint()]);
    let leasing = start(&client, "own/", 600).await;
    client.put("cached", "abc").await.expect("put");
    pair(&leasing, "cached").await;
    cluster.member(1).kill().expect("killed");
    let uncached = leasing.get("uncached").serializable().await.expect("served by the member");
    assert_eq!(uncached.count, 0);
    cluster.member(0).kill().expect("killed");
    let found = leasing.get("cached").serializable().await.expect("served from memory");
    assert_eq!(found.first().expect("it exists").value, "abc");
}

#[tokio::test]
async fn writes_fail_while_the_member_is_down() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = servers::client(cluster.endpoints());
    let leasing = start(&client, "own/", 600).await;
    put(&leasing, "k", "v").await;
    pair(&leasing, "k").await;
    cluster.member(0).kill().expect("killed");
    leasing.put("k", "w").timeout(SHORT).await.expect_err("put to an owned key");
    leasing.put("other", "w").timeout(SHORT).await.expect_err("put to another key");
    leasing.delete("k").timeout(SHORT).await.expect_err("deletion");
    leasing.delete("k").prefix().timeout(SHORT).await.expect_err("deletion of a range");
    leasing.txn().then(Put::new("k", "w")).timeout(SHORT).await.expect_err("transaction");
}

/// A transaction whose branches write other keys, four levels deep.
fn tree(number: &mut u32, depth: u32) -> Txn {
    let key = format!("tree/{number}");
    *number += 1;
    if depth == 0 {
        return Txn::new().then(Put::new(key, "leaf"));
    }
    let (then, or_else) = (tree(number, depth - 1), tree(number, depth - 1));
    let takes_then = (*number).is_multiple_of(2);
    let taken = Compare::version("nokey").equal(i64::from(!takes_then));
    Txn::new()
        .when(taken)
        .then((then, Put::new(key.clone(), "then")))
        .or_else((or_else, Put::new(key, "else")))
}

#[tokio::test]
async fn transactions_are_served_while_the_member_is_down() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = servers::client([cluster.member(0).endpoint()]);
    let witness = servers::client([cluster.member(1).endpoint(), cluster.member(2).endpoint()]);
    let leasing = start(&client, "own/", 600).await;
    let mut number = 0;
    let txn = tree(&mut number, 4);
    let keys: Vec<String> = (0..number).map(|number| format!("tree/{number}")).collect();
    for key in &keys {
        client.put(key, "a").await.expect("put");
        pair(&leasing, key).await;
    }
    let response = txn.bind(&leasing).await.expect("applied");
    cluster.member(0).kill().expect("killed");

    let mut changed = 0;
    for key in &keys {
        let found = cached(&leasing, key).await.expect("it exists");
        changed += usize::from(found.value != "a");
        assert_eq!(Some(&found), witness.get(key).await.expect("read").first(), "{key}");
    }
    assert_eq!(changed, 5, "one key of each level");

    let served = async |txn: Txn| -> TxnResponse { txn.bind(&leasing).await.expect("from memory") };
    let root = cached(&leasing, "tree/0").await.expect("it exists");
    let (created, revision) = (root.create_revision, root.mod_revision);
    let compare = || (Compare::create_revision("tree/0"), Compare::mod_revision("tree/0"));
    let cases = [
        (vec![Compare::value("tree/0").equal(root.value.clone())], true),
        (vec![compare().0.equal(created)], true),
        (vec![compare().1.equal(revision)], true),
        (vec![Compare::version("tree/0").equal(2)], true),
        (vec![Compare::value("tree/0").greater(root.value.clone())], false),
        (vec![compare().0.greater(created)], false),
        (vec![Compare::version("tree/0").greater(2)], false),
        (vec![Compare::value("tree/0").less(root.value.clone())], false),
        (vec![compare().0.less(created)], false),
        (vec![compare().1.less(revision)], false),
        (vec![Compare::version("tree/0").equal(2), Compare::version("tree/0").less(2)], false),
    ];
    for (compares, holds) in cases {
        let txn = Txn::new().when(compares.clone()).then(Get::new("tree/0")).or_else(Get::new("tree/1"));
        let response = served(txn).await;
        assert_eq!(response.succeeded(), holds, "{compares:?}");
        let key = if holds { "tree/0" } else { "tree/1" };
        assert_eq!(
            response.get(0).and_then(|get| get.first()).map(|kv: &KeyValue| &kv.key[..]),
            Some(key.as_bytes())
        );
    }
    let gets: Vec<Get> = keys.iter().map(Get::new).collect();
    let all = served(Txn::new().when(Compare::exists("tree/0")).then(gets)).await;
    assert_eq!(all.responses().len(), keys.len());
    assert!(all.header.revision >= response.header.revision);
}
