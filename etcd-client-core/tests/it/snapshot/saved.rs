//! Snapshots of real members, whole ones.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use etcd_client_core::{Code, ErrorKind, snapshot::SnapshotProgress};
use etcd_testkit::{Cluster, Line};
use sha2::{Digest as _, Sha256};

use super::{all, directory::Directory, filled};
use crate::servers::{client, lent};

/// What bolt's first page holds behind its header of 16 bytes.
const BOLT_MAGIC: [u8; 4] = 0xED0C_DAED_u32.to_le_bytes();

fn assert_database(bytes: &[u8]) {
    assert_eq!(bytes.len() % 512, 32, "{}", bytes.len());
    assert_eq!(bytes[16..20], BOLT_MAGIC);
    let (data, digest) = bytes.split_at(bytes.len() - 32);
    assert_eq!(Sha256::digest(data)[..], *digest);
}

fn storage_version(cluster: &Cluster) -> Option<String> {
    let line = cluster.version().line();
    (line >= Line::V3_6).then(|| format!("{line}.0"))
}

#[tokio::test]
async fn a_saved_snapshot_is_the_database() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    filled(&client, 3 << 20).await;
    let directory = Directory::new();
    let path = directory.join("backup.db");
    fs::write(&path, "before").expect("written");
    let seen: Arc<Mutex<Vec<SnapshotProgress>>> = Arc::default();
    let told = Arc::clone(&seen);
    let snapshot = client.snapshot().on_progress(move |progress| told.lock().expect("sound").push(progress));
    let summary = snapshot.save_to(&path).await.unwrap_or_else(|error| panic!("{}", error.report()));

    let bytes = fs::read(&path).expect("saved");
    assert_database(&bytes);
    assert!(bytes.len() > 3 << 20, "{}", bytes.len());
    assert_eq!(directory.names(), ["backup.db"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(summary.sha256.as_bytes()[..], bytes[bytes.len() - 32..]);
    assert_eq!(summary.version, storage_version(lent.cluster));

    let seen = seen.lock().expect("sound");
    assert!(seen.is_sorted_by(|a, b| a.received < b.received), "it only grows");
    assert!(seen.iter().all(|progress| progress.total == Some(summary.bytes)), "{:?}", seen.first());
    assert_eq!(seen.last().map(|progress| progress.received), Some(summary.bytes));
    assert!(seen.len() > 50, "{} chunks", seen.len());
}

#[tokio::test]
async fn etcdctl_finds_it_sound() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    filled(&client, 1 << 20).await;
    let directory = Directory::new();
    let path = directory.join("backup.db");
    let summary = client.snapshot().save_to(&path).await.expect("saved");
    let shown = path.to_str().expect("ASCII");
    if lent.cluster.version().line() < Line::V3_6 {
        let status = lent.cluster.etcdctl(["snapshot", "status", shown, "-w", "json"]).await.expect("sound");
        let size = format!("\"totalSize\":{}", summary.bytes - 32);
        assert!(status.contains(&size), "{status} and not {size}");
    } else {
        // Later ones only save: theirs is as long as ours.
        let theirs = directory.join("theirs.db");
        let args = ["snapshot", "save", theirs.to_str().expect("ASCII")];
        lent.cluster.etcdctl(args).await.expect("saved");
        assert_eq!(fs::metadata(&theirs).expect("there").len(), summary.bytes);
    }
}

#[tokio::test]
async fn stream_yields_the_saved_bytes() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    filled(&client, 1 << 20).await;
    let stream = client.snapshot().member(lent.cluster.member(0).endpoint()).await.expect("opened");
    assert_eq!(stream.version().map(str::to_owned), storage_version(lent.cluster));
    let total = stream.total_bytes();
    let bytes = all(stream).await;
    assert_database(&bytes);
    assert_eq!(total, Some(bytes.len() as u64));
    let mut written = Vec::new();
    let summary = client.snapshot().write_to(&mut written).await.expect("written");
    assert_database(&written);
    assert_eq!(summary.bytes, written.len() as u64);
}

#[tokio::test]
async fn the_member_named_is_the_one_that_answers() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client([cluster.member(0).endpoint()]);
    client.put("k", "v").await.expect("put");
    for member in cluster.members() {
        let streams = async || {
            crate::servers::metric(member, "grpc_server_started_total", &["grpc_method=\"Snapshot\""]).await
        };
        let before = streams().await;
        assert_database(&all(client.snapshot().member(member.endpoint()).await.expect("opened")).await);
        assert_eq!(streams().await - before, 1.0, "{}", member.name());
    }
    let wrong = client.snapshot().member("http://").await.expect_err("no endpoint");
    assert_eq!((wrong.kind(), wrong.operation()), (ErrorKind::InvalidConfig, Some("snapshot")), "{wrong}");
    let zero = client.snapshot().idle_timeout(std::time::Duration::ZERO).await.expect_err("zero");
    assert_eq!((zero.kind(), zero.field()), (ErrorKind::InvalidRequest, Some("idle_timeout")), "{zero}");
}

#[tokio::test]
async fn rejection_is_returned_on_open() {
    let Some(cluster) = Cluster::builder().auth("secret").start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let directory = Directory::new();
    let error = client.snapshot().await.expect_err("nobody may");
    assert_eq!(error.code(), Some(Code::UserEmpty), "{}", error.report());
    let error = client.snapshot().save_to(directory.join("backup.db")).await.expect_err("nobody may");
    assert_eq!(error.code(), Some(Code::UserEmpty), "{}", error.report());
    assert!(directory.names().is_empty());
}
