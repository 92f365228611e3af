//! Clients under a prefix, on a real member: what the conformance suite does not ask of every client.

use etcd_client_core::{Compare, Get, Key, LeaseId, Put, Txn};
use tokio::time::timeout;

use crate::servers::{self, PATIENCE, eventually};

#[tokio::test]
async fn a_namespace_in_a_namespace_is_one() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    assert_eq!(whole.namespace(), None);
    let outer = whole.with_namespace("ns-nested/");
    let inner = outer.with_namespace("b/").with_namespace("");
    assert_eq!(inner.namespace(), Some(&Key::from("ns-nested/b/")));
    inner.put("k", "v").await.expect("put");
    assert_eq!(outer.get("b/k").await.expect("get").kvs[0].value, "v");
    assert_eq!(whole.get("ns-nested/b/k").await.expect("get").kvs[0].value, "v");
    let all = inner.get("").all_keys().await.expect("get");
    assert_eq!((all.count, &all.kvs[0].key[..]), (1, &b"k"[..]));
}

/// All keys of such a namespace are a range without an upper end.
#[tokio::test]
async fn prefix_of_highest_bytes_has_an_end() {
    let Some(lent) = servers::lent().await else { return };
    let whole = servers::client(lent.cluster.endpoints());
    let high = whole.with_namespace(b"\xff\xff");
    whole.put(b"\xff", "foreign").await.expect("put");
    whole.put(b"\xff\xfe", "foreign").await.expect("put");
    high.put(b"\xff", "ours").await.expect("put");
    high.put("a", "ours").await.expect("put");
    let got = high.get("").all_keys().await.expect("get");
    assert_eq!(got.kvs.iter().map(|kv| &kv.key[..]).collect::<Vec<_>>(), [&b"a"[..], b"\xff"]);
    assert_eq!(high.delete("").prefix().await.expect("delete").deleted, 2);
    assert_eq!(whole.get("").all_keys().count_only().await.expect("get").count, 2);
}

#[tokio::test]
async fn a_lease_shows_only_the_keys_of_the_namespace() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    let ours = whole.with_namespace("ns-lease/");
    let id: LeaseId = ours.lease().grant(std::time::Duration::from_secs(600)).await.expect("grant").id;
    ours.put("k", "v").lease(id).await.expect("put");
    for foreign in ["ns-lease/", "ns-lease", "ns-other/k"] {
        whole.put(foreign, "v").lease(id).await.expect("put");
    }
    let seen = async |client: &etcd_client_core::Client| {
        client.lease().time_to_live(id).keys().await.expect("asked").keys.len()
    };
    assert_eq!((seen(&ours).await, seen(&whole).await), (1, 4));
    assert_eq!(ours.lease().time_to_live(id).keys().await.expect("asked").keys, ["k"]);
    ours.lease().revoke(id).await.expect("revoke");
    eventually("the keys are gone", async || whole.get("ns-other/k").await.expect("get").count == 0).await;
}

/// The whole object of a Txn: compares, both branches, nested ones, and what they answer.
#[tokio::test]
async fn a_txn_stays_inside_at_every_level() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    let ours = whole.with_namespace("ns-txn/");
    whole.put("other", "outside").await.expect("put");
    whole.put("ns-txn/other", "before").await.expect("put");
    let nested = Txn::new()
        .when(Compare::value("other").equal("before"))
        .then((Get::new("").all_keys(), Put::new("other", "again").prev_kv()));
    let txn = ours.txn().when(Compare::missing("k")).then((Put::new("k", "inside"), nested));
    let answer = timeout(PATIENCE, txn).await.expect("in time").expect("txn");
    let nested = answer.txn(1).expect("nested");
    assert!(answer.succeeded() && nested.succeeded());
    assert_eq!(nested.get(0).expect("a get").kvs[0].key, "k");
    assert_eq!(nested.put(1).expect("a put").prev_kv.as_ref().expect("there").key, "other");
    assert_eq!(whole.get("other").await.expect("get").kvs[0].value, "outside");
    assert_eq!(whole.get("ns-txn/other").await.expect("get").kvs[0].value, "again");
}

#[tokio::test]
async fn a_watch_sees_the_namespace_and_nothing_else() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    let ours = whole.with_namespace("ns-watch/");
    let mut watch = ours.watch("").all_keys().prev_kv().await.expect("a watch");
    for (key, value) in
        [("ns-watch", "foreign"), ("ns-watch/", "foreign"), ("ns-watch/a", "1"), ("ns-watch0", "foreign")]
    {
        whole.put(key, value).await.expect("put");
    }
    ours.put("a", "2").await.expect("put");
    ours.delete("").prefix().await.expect("delete");
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let response = timeout(PATIENCE, watch.next()).await.expect("in time").expect("one").expect("events");
        seen.extend(response.events);
    }
    assert!(seen.iter().all(|event| event.kv.key == "a"), "{seen:?}");
    let before = seen.iter().map(|event| event.prev_kv.as_ref().map(|kv| (&kv.key[..], &kv.value[..])));
    let expected = [None, Some((&b"a"[..], &b"1"[..])), Some((b"a", b"2"))];
    assert_eq!(before.collect::<Vec<_>>(), expected);
    assert!(seen[0].is_create() && seen[2].is_delete());
}

#[tokio::test]
async fn a_service_around_the_client_keeps_the_namespace() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    let ours = whole.with_namespace("ns-service/");
    let around = ours.with_service(ours.channel());
    assert_eq!(around.namespace(), ours.namespace());
    around.put("k", "v").await.expect("put");
    assert_eq!(whole.get("ns-service/k").await.expect("get").count, 1);
}

#[tokio::test]
async fn locks_and_elections_are_those_of_the_namespace() {
    let Some(cluster) = servers::shared() else { return };
    let whole = servers::client(cluster.endpoints());
    let ours = whole.with_namespace("ns-lock/");
    let id: LeaseId = ours.lease().grant(std::time::Duration::from_secs(600)).await.expect("grant").id;
    let lock = ours.server_lock().lock("l", id).await.expect("locked");
    assert_eq!(lock.key, *format!("l/{id:x}"));
    assert_eq!(whole.get("ns-lock/l/").prefix().await.expect("get").count, 1);
    assert!(ours.txn().when(lock.owned()).await.expect("a check").succeeded());
    ours.server_lock().unlock(lock.key).await.expect("unlocked");
    assert_eq!(whole.get("ns-lock/l/").prefix().await.expect("get").count, 0);
    let error = ours.server_lock().unlock("").await.expect_err("no key of the namespace");
    assert_eq!(error.field(), Some("key"));

    let won = ours.server_election().campaign("e", id, "first").await.expect("won").leader;
    assert_eq!((&won.name, &won.key), (&Key::from("e"), &Key::from(format!("e/{id:x}"))));
    assert_eq!(whole.server_election().leader("ns-lock/e").await.expect("one").kv.value_str(), Ok("first"));
    ours.server_election().proclaim(won.clone(), "second").await.expect("proclaimed");
    assert_eq!(ours.server_election().leader("e").await.expect("one").kv.key, won.key.as_bytes());
    let mut leaders = ours.server_election().observe("e").await.expect("a stream");
    let leader = timeout(PATIENCE, leaders.next()).await.expect("in time").expect("one").expect("one");
    assert_eq!((&leader.kv.key[..], leader.kv.value_str()), (won.key.as_bytes(), Ok("second")));
    ours.server_election().resign(won).await.expect("resigned");
    assert!(whole.server_election().leader("ns-lock/e").await.is_err());
}
