//! Mirrors on a real member.
//!
//! | etcd (`tests/integration/clientv3/mirror_test.go`) | here |
//! |---|---|
//! | `TestMirrorSync` | [`the_pages_and_then_the_updates`] |
//! | `TestMirrorSyncBase` | [`long_range_is_complete_at_one_revision`] |
//! | `TestMirrorSync_Authenticated` (`mirror_auth_test.go`) | [`mirror_needs_permission_for_its_range_only`] |

use std::collections::BTreeMap;

use bytes::Bytes;
use etcd_client_core::{
    Client, ErrorKind, Event, Put, Revision, auth::Permission, mirror::Mirror, types::KeyRange,
    watch::WatchStream,
};
use etcd_testkit::Cluster;
use tokio::time::timeout;

use crate::servers::{self, PATIENCE};

type Copy = BTreeMap<Bytes, Bytes>;

async fn read(mirror: &mut Mirror<'_>) -> Copy {
    let mut copy = Copy::new();
    while let Some(page) = timeout(PATIENCE, mirror.next()).await.expect("in time") {
        let page = page.expect("a page");
        assert_eq!(Some(page.revision), mirror.revision());
        for kv in page.kvs {
            assert!(copy.insert(kv.key, kv.value).is_none(), "each key once");
        }
    }
    assert!(mirror.next().await.is_none());
    copy
}

fn apply(copy: &mut Copy, event: Event) {
    match event.is_delete() {
        true => copy.remove(&event.kv.key),
        false => copy.insert(event.kv.key, event.kv.value),
    };
}

/// Reads updates up to and with `revision`.
async fn follow(copy: &mut Copy, updates: &mut WatchStream, revision: Revision) {
    let following = async {
        loop {
            let response = updates.next().await.expect("a response").expect("events");
            let last = response.events.last().map(Event::revision);
            response.events.into_iter().for_each(|event| apply(copy, event));
            if last >= Some(revision) {
                break;
            }
        }
    };
    timeout(PATIENCE, following).await.expect("in time");
}

async fn truth(client: &Client, prefix: &str) -> Copy {
    let got = client.get(prefix).prefix().await.expect("get");
    got.kvs.into_iter().map(|kv| (kv.key, kv.value)).collect()
}

#[tokio::test]
async fn the_pages_and_then_the_updates() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    for key in ["mirror/a", "mirror/b"] {
        client.put(key, "old").await.expect("put");
    }
    let mut mirror = Mirror::new(&client, KeyRange::prefix("mirror/"));
    let mut copy = read(&mut mirror).await;
    assert_eq!(copy.len(), 2);
    client.put("mirror/a", "between the two").await.expect("put");
    let mut updates = mirror.watch().expect("all was read").await.expect("a watch");
    client.delete("mirror/b").await.expect("delete");
    let last = client.put("mirror/c", "new").await.expect("put").header.revision;
    follow(&mut copy, &mut updates, last).await;
    assert_eq!(copy, truth(&client, "mirror/").await);
}

#[tokio::test]
async fn long_range_is_complete_at_one_revision() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    for batch in 0..20 {
        let put = |i: usize| Put::new(format!("mirror-long/{:04}", batch * 100 + i), "v");
        client.txn().then((0..100).map(put).collect::<Vec<_>>()).await.expect("txn");
    }
    let mut mirror = Mirror::new(&client, KeyRange::prefix("mirror-long/"));
    let first = mirror.next().await.expect("a page").expect("a page");
    assert!(first.kvs.len() < 2000, "more than one page");
    let early = Mirror::new(&client, KeyRange::prefix("mirror-long/")).watch().map(drop);
    assert_eq!(early.expect_err("nothing was read").kind(), ErrorKind::InvalidRequest);
    client.delete("mirror-long/").prefix().await.expect("delete");
    let rest = read(&mut mirror).await;
    assert_eq!(first.kvs.len() + rest.len(), 2000, "what was written meanwhile comes later");
    let mut updates = mirror.watch().expect("all was read").await.expect("a watch");
    let response = timeout(PATIENCE, updates.next()).await.expect("in time").expect("one").expect("events");
    assert!(response.events.iter().all(Event::is_delete));
}

#[tokio::test]
async fn unfinished_pages_have_no_updates() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let put = |i: usize| Put::new(format!("mirror-part/{i:02}"), "v");
    client.txn().then((0..100).map(put).collect::<Vec<_>>()).await.expect("txn");
    let mut mirror = Mirror::new(&client, KeyRange::prefix("mirror-part/"));
    mirror.next().await.expect("a page").expect("a page");
    let error = mirror.watch().map(drop).expect_err("pages are left");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("revision")));
    let resumed = Mirror::new(&client, KeyRange::prefix("mirror-part/")).at_revision(7);
    let watch = resumed.watch().expect("the pages are known");
    assert_eq!(watch.start_revision, 8);
}

#[tokio::test]
async fn an_empty_range_has_updates() {
    let Some(cluster) = servers::shared() else { return };
    let client = servers::client(cluster.endpoints());
    let mut mirror = Mirror::new(&client, KeyRange::prefix("mirror-empty/"));
    let mut copy = read(&mut mirror).await;
    let mut updates = mirror.watch().expect("all was read").await.expect("a watch");
    let last = client.put("mirror-empty/k", "v").await.expect("put").header.revision;
    follow(&mut copy, &mut updates, last).await;
    assert_eq!(copy.len(), 1);
}

#[tokio::test]
async fn mirror_needs_permission_for_its_range_only() {
    let Some(cluster) = Cluster::builder().auth("root-secret").start_or_skip().await else { return };
    let as_user = |user: &str, password: &str| {
        let builder = Client::builder(cluster.endpoints()).password(user, password).allow_plaintext_auth();
        builder.build().expect("the endpoints are valid")
    };
    let root = as_user("root", "root-secret");
    root.auth().role_add("reader").await.expect("role");
    root.auth().role_grant_permission("reader", Permission::read("mine/").prefix()).await.expect("grant");
    root.auth().user_add("reader", "reader-secret").await.expect("user");
    root.auth().user_grant_role("reader", "reader").await.expect("grant");
    root.put("mine/a", "v").await.expect("put");
    root.put("other", "v").await.expect("put");
    let client = as_user("reader", "reader-secret");
    let mut mirror = Mirror::new(&client, KeyRange::prefix("mine/"));
    let mut copy = read(&mut mirror).await;
    let mut updates = mirror.watch().expect("all was read").await.expect("a watch");
    let last = root.put("mine/b", "v").await.expect("put").header.revision;
    follow(&mut copy, &mut updates, last).await;
    assert_eq!(copy.len(), 2);
}
