//! What holds across restarts of members.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Revision};
use etcd_testkit::Cluster;
use tokio::task::JoinSet;

use crate::servers::{PATIENCE, client};

#[tokio::test]
async fn puts_survive_a_restart() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = client.lease().grant(Duration::from_secs(600)).await.expect("grant").id;
    let put = client.put("k", "v").lease(lease).await.expect("put");
    cluster.member(0).restart().await.expect("restarted");
    let got = client.get("k").timeout(PATIENCE).await.expect("get");
    assert_eq!((&got.kvs[0].value[..], got.kvs[0].lease), (&b"v"[..], Some(lease)));
    assert_eq!(got.kvs[0].mod_revision, put.header.revision);
    let again = client.put("k", "w").await.expect("put");
    assert_eq!(again.header.revision, put.header.revision.next());
    assert_eq!(client.lease().list().await.expect("list").leases, [lease]);
}

/// One after another, linearizable reads never see an earlier revision.
async fn read_until(client: Client, ended: Arc<AtomicBool>) -> usize {
    let (mut last, mut reads) = (Revision::ZERO, 0);
    while !ended.load(Ordering::Relaxed) {
        let Ok(got) = client.get("k").timeout(Duration::from_secs(2)).await else { continue };
        assert!(got.header.revision >= last, "{} after {last}", got.header.revision);
        (last, reads) = (got.header.revision, reads + 1);
    }
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revisions_never_go_back_while_members_restart() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let ended = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        readers.spawn(read_until(client.clone(), Arc::clone(&ended)));
    }
    let mut last = client.put("k", "v").timeout(PATIENCE).await.expect("put").header.revision;
    for index in 0..3 {
        cluster.member(index).restart().await.expect("restarted");
        for _ in 0..20 {
            let Ok(put) = client.put("k", "v").timeout(Duration::from_secs(2)).await else { continue };
            assert!(put.header.revision > last, "{} after {last}", put.header.revision);
            last = put.header.revision;
        }
    }
    ended.store(true, Ordering::Relaxed);
    for reads in readers.join_all().await {
        assert!(reads > 0, "a reader saw nothing");
    }
}
