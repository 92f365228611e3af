//! Several handles with one prefix.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_client_core::{Client, Compare, Delete, Get, Put, Txn, leasing::Leasing, txn::Op};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{cached, pair, put, start, stored, value};
use crate::servers::{self, PATIENCE};

/// Handles of clients of their own.
async fn handles(endpoints: &[String], prefix: &str, count: usize) -> Vec<Leasing> {
    join_all((0..count).map(|_| async { start(&servers::client(endpoints), prefix, 60).await })).await
}

#[tokio::test]
async fn three_handles_see_each_others_writes() {
    let Some(cluster) = servers::shared() else { return };
    let all = handles(&cluster.endpoints(), "l-three/own/", 3).await;
    assert_eq!(value(&all[0], "l-three/k").await, None);
    put(&all[0], "l-three/k", "def").await;
    assert_eq!(value(&all[1], "l-three/k").await.as_deref(), Some("def"));
    assert_eq!(value(&all[2], "l-three/k").await.as_deref(), Some("def"));
    put(&all[1], "l-three/k", "ghi").await;
    for handle in &all {
        assert_eq!(value(handle, "l-three/k").await.as_deref(), Some("ghi"));
    }
}

#[tokio::test]
async fn deletion_by_another_handle_is_seen() {
    let Some(cluster) = servers::shared() else { return };
    let all = handles(&cluster.endpoints(), "l-gone/own/", 2).await;
    put(&all[0], "l-gone/k", "abc").await;
    pair(&all[0], "l-gone/k").await;
    cached(&all[0], "l-gone/k").await;
    timeout(PATIENCE, all[1].delete("l-gone/k")).await.expect("in time").expect("deleted");
    assert_eq!(value(&all[0], "l-gone/k").await, None);
    assert_eq!(all[0].counters().released, 1);
}

#[tokio::test]
async fn transaction_of_another_handle_is_seen_at_one_revision() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let all = handles(&cluster.endpoints(), "l-nested/own/", 2).await;
    for key in ["l-nested/k", "l-nested/k2"] {
        put(&all[0], key, "abc").await;
        pair(&all[0], key).await;
    }
    let nested = Txn::new().then(Put::new("l-nested/k2", "456"));
    let ops = (nested, Put::new("l-nested/k", "def"), Put::new("l-nested/k3", "999"));
    let response = timeout(PATIENCE, all[1].txn().then(ops)).await.expect("in time").expect("applied");
    assert_eq!((response.succeeded(), response.responses().len()), (true, 3));
    for (key, expected) in [("l-nested/k", "def"), ("l-nested/k2", "456"), ("l-nested/k3", "999")] {
        assert_eq!(value(&all[0], key).await.as_deref(), Some(expected));
        let found = stored(&client, key).await.expect("it exists");
        assert_eq!(found.mod_revision, response.header.revision);
    }
}

#[tokio::test]
async fn random_transactions_agree_with_the_store() {
    const KEYS: usize = 16;
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let all = handles(&cluster.endpoints(), "l-random/own/", 2).await;
    let key = |number: usize| format!("l-random/k-{number}");
    for round in 0..10 {
        for number in 0..KEYS {
            put(&all[0], &key(number), &number.to_string()).await;
        }
        let populate = async |handle: &Leasing| {
            for _ in 0..KEYS / 2 {
                pair(handle, &key(fastrand::usize(..KEYS))).await;
            }
        };
        tokio::join!(populate(&all[0]), populate(&all[1]));
        let takes_then = fastrand::bool();
        let ops: Vec<Op> = (0..KEYS)
            .filter(|_| fastrand::bool())
            .map(|number| match fastrand::u8(..3) {
                0 => Get::new(key(number)).into(),
                1 => Put::new(key(number), "a").into(),
                _ => Delete::new(key(number)).into(),
            })
            .collect();
        let exists = (0..KEYS).filter(|_| fastrand::bool()).map(|number| Compare::exists(key(number)));
        let mut txn = all[0].txn().when(exists.collect::<Vec<_>>());
        if !takes_then {
            txn = txn.when(Compare::missing(key(fastrand::usize(..KEYS))));
        }
        let txn = if takes_then { txn.then(ops.clone()) } else { txn.or_else(ops.clone()) };
        let response = timeout(PATIENCE, txn).await.expect("in time").expect("applied");
        assert_eq!(
            (response.succeeded(), response.responses().len()),
            (takes_then, ops.len()),
            "round {round}"
        );
        for number in 0..KEYS {
            let expected = stored(&client, &key(number)).await;
            for handle in &all {
                assert_eq!(pair(handle, &key(number)).await, expected, "round {round}, key {number}");
            }
        }
    }
}

#[tokio::test]
async fn deleted_range_leaves_the_owners_of_other_keys() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let all = handles(&cluster.endpoints(), "l-bounds/own/", 2).await;
    for key in ["l-bounds/j", "l-bounds/k", "l-bounds/m"] {
        put(&all[0], key, "123").await;
        pair(&all[0], key).await;
    }
    let deletion = all[1].delete("l-bounds/k").prefix();
    assert_eq!(timeout(PATIENCE, deletion).await.expect("in time").expect("deleted").deleted, 1);
    for key in ["l-bounds/j", "l-bounds/m"] {
        assert!(stored(&client, &format!("l-bounds/own/{key}")).await.is_some(), "{key} is still owned");
        assert_eq!(cached(&all[0], key).await, stored(&client, key).await);
    }
    assert_eq!(value(&all[0], "l-bounds/k").await, None);
}

#[tokio::test]
async fn deleted_range_contends_with_puts() {
    const KEYS: usize = 8;
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let all = handles(&cluster.endpoints(), "l-contend/own/", 2).await;
    let key = |number: usize| format!("l-contend/key/{number}");
    for as_txn in [false, true] {
        for number in 0..KEYS {
            put(&all[1], &key(number), "123").await;
            pair(&all[1], &key(number)).await;
        }
        let over = AtomicBool::new(false);
        let putting = async {
            for number in (0..KEYS).cycle().take_while(|_| !over.load(Ordering::Relaxed)) {
                put(&all[1], &key(number), "123").await;
                pair(&all[1], &key(number)).await;
            }
        };
        let deleting = async {
            let deletion = Delete::new("l-contend/key/").prefix();
            if as_txn {
                all[0].txn().then(deletion).await.expect("applied");
            } else {
                deletion.bind(&all[0]).await.expect("deleted");
            }
            over.store(true, Ordering::Relaxed);
        };
        timeout(PATIENCE, async { tokio::join!(putting, deleting) }).await.expect("in time");
        for number in 0..KEYS {
            assert_eq!(pair(&all[1], &key(number)).await, stored(&client, &key(number)).await);
        }
    }
}

#[tokio::test]
async fn concurrent_handles_agree_in_the_end() {
    const HANDLES: usize = 8;
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let all = handles(&cluster.endpoints(), "l-many/own/", HANDLES).await;
    let rounds = async |first: usize| {
        for round in 0..HANDLES {
            let handle = &all[(first + round) % HANDLES];
            handle.put("l-many/k", "abc").await.expect("put");
            handle.get("l-many/k").await.expect("read");
            handle.delete("l-many/k").await.expect("deleted");
        }
    };
    timeout(PATIENCE, join_all((0..HANDLES).map(rounds))).await.expect("in time");
    assert_eq!(stored(&client, "l-many/k").await, None);
    for handle in &all {
        assert_eq!(pair(handle, "l-many/k").await, None);
    }
}

#[tokio::test]
async fn transactions_are_never_seen_in_part() {
    const KEYS: usize = 16;
    let Some(cluster) = servers::shared() else { return };
    let client: Client = servers::client(cluster.endpoints());
    let leasing = start(&client, "l-atomic/own/", 60).await;
    let key = |number: usize| format!("l-atomic/k-{number}");
    let puts = || (0..KEYS).map(|number| Put::new(key(number), "v")).collect::<Vec<_>>();
    leasing.txn().then(puts()).await.expect("applied");
    for number in 0..KEYS {
        pair(&leasing, &key(number)).await;
    }
    let over = AtomicBool::new(false);
    let putter = async || {
        for _ in 0..20 {
            leasing.txn().then(puts()).await.expect("applied");
            // Between transactions the reads are served from memory.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let getter = async || {
        while !over.load(Ordering::Relaxed) {
            let gets: Vec<_> = (0..KEYS).map(|number| Get::new(key(number))).collect();
            let response = leasing.txn().then(gets).await.expect("read");
            let revision =
                |number| response.get(number).and_then(|get| get.first()).map(|kv| kv.mod_revision);
            for number in 1..KEYS {
                assert_eq!(revision(number), revision(0));
            }
            tokio::task::yield_now().await;
        }
    };
    let all = async {
        let putters = async {
            join_all((0..4).map(|_| putter())).await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(putters, join_all((0..4).map(|_| getter())))
    };
    timeout(PATIENCE, all).await.expect("in time");
    assert!(leasing.counters().cached_reads > 0);
}
