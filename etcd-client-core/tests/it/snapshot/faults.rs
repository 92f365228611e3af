//! Members that go away in the middle of a snapshot, and callers that do.

use std::time::{Duration, SystemTime};

use etcd_client_core::{Client, Error, ErrorKind, snapshot::SnapshotStream};
use etcd_testkit::{Cluster, Member};
use tokio::time::timeout;

use super::{
    all,
    directory::{Directory, is_part},
    large,
};
use crate::servers::{PATIENCE, client, eventually, metric};

async fn snapshots(member: &Member) -> f64 {
    metric(member, "grpc_server_started_total", &["grpc_method=\"Snapshot\""]).await
}

/// Reads on until the error.
async fn fails(mut stream: SnapshotStream) -> Error {
    let reading = async {
        loop {
            match stream.next().await.expect("it does not end well") {
                Ok(_chunk) => {}
                Err(error) => return error,
            }
        }
    };
    let error = timeout(PATIENCE, reading).await.expect("it does not hang");
    assert_eq!(error.operation(), Some("snapshot"));
    error
}

/// Opened, with some of it read.
async fn begun(client: &Client, member: &Member) -> SnapshotStream {
    let mut stream = client.snapshot().member(member.endpoint()).await.expect("opened");
    stream.next().await.expect("a chunk").expect("right");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_member_ends_the_snapshot_without_failover() {
    let Some((cluster, client)) = large(3).await else { return };
    let directory = Directory::new();
    let (endpoint, member) = (cluster.member(1).endpoint(), cluster.member(1));
    let stream = begun(&client, member).await;
    let (told, mut tell) = tokio::sync::mpsc::channel(1);
    // Holds the save up after its first chunk: all that has come by then is less than the whole.
    let (release, released) = std::sync::mpsc::channel::<()>();
    let snapshot = client.snapshot().member(endpoint).on_progress(move |_| {
        if told.try_send(()).is_ok() {
            let _ = released.recv_timeout(PATIENCE);
        }
    });
    let saving = tokio::spawn(snapshot.save_to(directory.join("backup.db")));
    timeout(PATIENCE, tell.recv()).await.expect("it began");
    drop(tell);
    let names = directory.names();
    assert!(names.len() == 1 && is_part(&names[0]), "{names:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let part = std::fs::metadata(directory.join(&names[0])).expect("there");
        assert_eq!(part.permissions().mode() & 0o777, 0o600);
    }
    member.kill().expect("killed");
    member.wait_exit().await.expect("dead");
    drop(release);
    let others = [cluster.member(0), cluster.member(2)];
    for error in [fails(stream).await, saving.await.expect("no panic").expect_err("it was killed")] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
        assert!(error.report().to_string().contains(endpoint), "{}", error.report());
    }
    assert!(directory.names().is_empty(), "{:?}", directory.names());
    for other in others {
        assert_eq!(snapshots(other).await, 0.0, "{} was asked", other.name());
    }
    client.snapshot().save_to(directory.join("backup.db")).await.expect("the others have theirs");
}

#[tokio::test]
async fn snapshot_stays_with_its_member() {
    let Some((cluster, client)) = large(3).await else { return };
    let mut stream = client.snapshot().await.expect("opened");
    stream.next().await.expect("a chunk").expect("right");
    let mut asked = Vec::new();
    for member in cluster.members() {
        if snapshots(member).await > 0.0 {
            asked.push(member);
        }
    }
    let [member] = asked[..] else { panic!("{asked:?}") };
    member.kill().expect("killed");
    member.wait_exit().await.expect("dead");
    let error = fails(stream).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    for other in cluster.members().iter().filter(|other| other.name() != member.name()) {
        assert_eq!(snapshots(other).await, 0.0, "{} was asked", other.name());
    }
}

#[tokio::test]
async fn frozen_member_stalls_the_snapshot() {
    let Some((cluster, client)) = large(1).await else { return };
    let directory = Directory::new();
    let idle = Duration::from_secs(1);
    let mut stream = client.snapshot().idle_timeout(idle).await.expect("opened");
    stream.next().await.expect("a chunk").expect("right");
    cluster.member(0).pause().await.expect("paused");
    let error = fails(stream).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.report());
    assert!(error.message().contains("stalled: no data for 1.0 s"), "{error}");
    let save = client.snapshot().idle_timeout(idle).save_to(directory.join("backup.db"));
    let error = timeout(PATIENCE, save).await.expect("it ends").expect_err("frozen");
    // The connection may have been found dead meanwhile.
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable), "{}", error.report());
    assert!(directory.names().is_empty());
    cluster.member(0).resume().expect("resumed");
    client.snapshot().save_to(directory.join("backup.db")).await.expect("it goes on");
}

#[tokio::test]
async fn deadline_covers_the_whole_snapshot() {
    let Some((cluster, client)) = large(1).await else { return };
    let short = Duration::from_millis(500);
    let stream = client.snapshot().timeout(short).await.expect("opened");
    // The reader takes longer than that; the client's window is full meanwhile.
    let start = SystemTime::now();
    eventually("it is over", async || start.elapsed().is_ok_and(|elapsed| elapsed > short)).await;
    let error = fails(stream).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.report());
    assert!(error.message().contains("the deadline passed after"), "{error}");
    drop(cluster);
}

#[tokio::test]
async fn client_timeout_does_not_apply_to_snapshots() {
    let Some((cluster, filled)) = large(1).await else { return };
    let quick =
        Client::builder(cluster.endpoints()).timeout(Duration::from_millis(300)).build().expect("built");
    quick.wait_ready(PATIENCE).await.expect("ready");
    let stream = quick.snapshot().await.expect("opened");
    let start = SystemTime::now();
    let pause = Duration::from_millis(600);
    eventually("it is over", async || start.elapsed().is_ok_and(|elapsed| elapsed > pause)).await;
    assert!(all(stream).await.len() > super::LARGE);
    drop(filled);
}

#[tokio::test]
async fn stalled_readers_leave_the_others_alone() {
    let Some((_cluster, client)) = large(1).await else { return };
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(client.snapshot().await.expect("opened"));
    }
    for _ in 0..100 {
        client.get("k").await.expect("get");
    }
    let large = client.get("filled/").prefix().limit(20).await.expect("a large answer");
    assert_eq!(large.kvs.len(), 20);
    let bytes = all(stalled.pop().expect("four")).await;
    assert!(bytes.len() > super::LARGE);
}

#[tokio::test]
async fn closing_the_client_ends_a_snapshot_on_its_own_connection() {
    let Some((cluster, client)) = large(1).await else { return };
    let pinned = begun(&client, cluster.member(0)).await;
    let picked = client.snapshot().await.expect("opened");
    client.close().await;
    for stream in [pinned, picked] {
        let error = fails(stream).await;
        assert_eq!((error.kind(), error.is_closed()), (ErrorKind::Closed, true), "{}", error.report());
    }
    for snapshot in [client.snapshot(), client.snapshot().member(cluster.member(0).endpoint())] {
        let error = snapshot.await.expect_err("closed");
        assert!(error.is_closed(), "{}", error.report());
    }
}

#[tokio::test]
async fn a_dropped_snapshot_ends_on_the_member() {
    let Some((cluster, client)) = large(1).await else { return };
    let member = cluster.member(0);
    let handled = async || metric(member, "grpc_server_handled_total", &["grpc_method=\"Snapshot\""]).await;
    let (picked, pinned) = (client.snapshot().await.expect("opened"), begun(&client, member).await);
    assert_eq!((snapshots(member).await, handled().await), (2.0, 0.0));
    drop((picked, pinned));
    eventually("the member has ended both", async || handled().await == 2.0).await;
    assert_eq!(client.get("k").await.expect("get").count, 0);
}

#[tokio::test]
async fn a_snapshot_outlives_the_handle_of_its_client() {
    let Some(lent) = crate::servers::lent().await else { return };
    let cluster: &Cluster = lent.cluster;
    let stream = client(cluster.endpoints()).snapshot().await.expect("opened");
    assert!(all(stream).await.len() > 512);
}

#[tokio::test]
async fn unreachable_member_fails_after_the_idle_timeout() {
    let client = client(["http://127.0.0.1:1"]);
    let snapshot = client.snapshot().idle_timeout(Duration::from_millis(300));
    let error = timeout(PATIENCE, snapshot).await.expect("it ends").expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    assert!(error.report().to_string().contains("127.0.0.1:1"), "{}", error.report());
}
