//! Snapshots that no etcd sends: each is a typed error that names the server, and leaves no file.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Code, Error, ErrorKind, Outcome, error::GrpcCode};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Server, Step, frame, reply};
use prost::Message as _;
use tokio::time::timeout;

use super::{
    directory::Directory,
    server::{SNAPSHOT, answer, begun, ended, honest, part, playing},
};
use crate::servers::PATIENCE;

const IDLE: Duration = Duration::from_millis(300);

fn assert_named(server: &Server, error: &Error) {
    let report = error.report().to_string();
    assert!(report.contains(&server.endpoint()), "no endpoint:\n{report}");
    assert_eq!((error.operation(), error.outcome()), (Some("snapshot"), Outcome::NotApplied), "{report}");
}

/// Saves a snapshot of this answer, which must fail and leave what was there before.
async fn refused(what: &str, answer: Answer, max_bytes: u64) -> Error {
    let (server, client) = playing(answer).await;
    let directory = Directory::new();
    let path = directory.join("backup.db");
    std::fs::write(&path, "before").expect("written");
    let save = client.snapshot().idle_timeout(IDLE).max_bytes(max_bytes).save_to(&path);
    let error = timeout(PATIENCE, save).await.expect(what).expect_err(what);
    assert_eq!(directory.names(), ["backup.db"], "{what}");
    assert_eq!(std::fs::read(&path).expect("there"), b"before", "{what}");
    assert_eq!(server.received(SNAPSHOT), 1, "{what}: it is not asked for again");
    assert_named(&server, &error);
    server.wait_until(|counts| counts.open_calls == 0).await;
    error
}

async fn assert_protocol(what: &str, parts: &[pb::SnapshotResponse], says: &str) {
    let error = refused(what, answer(parts), u64::MAX).await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {}", error.report());
    assert!(error.message().contains(says), "{what}: {error}");
}

#[tokio::test]
async fn an_honest_one_is_saved() {
    let (_server, client) = playing(answer(&honest(8))).await;
    let directory = Directory::new();
    let path = directory.join("backup.db");
    let summary = client.snapshot().save_to(&path).await.expect("saved");
    let expected: Vec<u8> = honest(8).iter().flat_map(|part| part.blob.clone()).collect();
    assert_eq!(std::fs::read(&path).expect("there"), expected);
    assert_eq!((summary.bytes, summary.version.as_deref()), (8 * 1024 + 32, Some("3.6.0")));
    assert_eq!(summary.sha256.as_bytes()[..], expected[8 * 1024..]);
    assert_eq!(summary.header.map(|header| header.revision.get()), Some(3));
}

#[tokio::test]
async fn a_truncated_one() {
    let parts = honest(6);
    for left in 0..parts.len() {
        let says = if left == 0 { "empty" } else { "truncated" };
        assert_protocol(&format!("ended well after {left} parts"), &parts[..left], says).await;
        let lost = ended(begun(&parts[..left]), Step::Reset(reply::INTERNAL_ERROR));
        if left > 0 {
            let error = refused(&format!("reset after {left} parts"), lost, u64::MAX).await;
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
        }
    }
    let mut half = honest(2);
    half[0] = part(half[0].blob.slice(..500), 1024);
    assert_protocol("half a part is missing", &half, "truncated").await;
}

#[tokio::test]
async fn a_corrupt_one() {
    for at in 0..honest(4).len() {
        let mut parts = honest(4);
        let mut blob = parts[at].blob.to_vec();
        blob[17] ^= 1;
        parts[at].blob = blob.into();
        assert_protocol(&format!("part {at}"), &parts, "corrupt").await;
    }
    let mut swapped = honest(4);
    let second = swapped[1].blob.clone();
    swapped[1].blob = std::mem::replace(&mut swapped[2].blob, second);
    // 251 does not divide 1024: no two parts are alike.
    assert_protocol("two parts swapped", &swapped, "corrupt").await;
}

#[tokio::test]
async fn one_whose_remaining_bytes_are_wrong() {
    let changed = |at: usize, remaining: u64| {
        let mut parts = honest(4);
        parts[at].remaining_bytes = remaining;
        parts
    };
    assert_protocol("negative", &changed(0, u64::MAX), "announced").await;
    assert_protocol("negative later", &changed(2, u64::MAX), "announced").await;
    assert_protocol("growing", &changed(2, 100_000), "100000 bytes are to follow after 3072").await;
    assert_protocol("zero with more following", &changed(0, 0), "longer than the 1024 bytes").await;
    assert_protocol("too little, later", &changed(1, 0), "announced").await;
    assert_protocol("some after the digest", &changed(4, 1), "announced").await;
    assert_protocol("huge at first", &changed(0, u64::MAX - 1024), "announced").await;
}

#[tokio::test]
async fn an_empty_one_and_one_that_is_a_digest_only() {
    assert_protocol("no message", &[], "empty").await;
    assert_protocol("empty messages", &[part("", 0), part("", 0)], "empty").await;
    assert_protocol("nothing but the digest of nothing", &honest(0), "empty").await;
    let mut wrong = honest(1);
    wrong[0].version = "3\n6".into();
    assert_protocol("a version that is none", &wrong, "version").await;
    let error = refused("no message at all", reply::body("nonsense"), u64::MAX).await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
}

#[tokio::test]
async fn one_that_is_too_large() {
    let check = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
        assert_eq!(error.grpc_code(), Some(GrpcCode::ResourceExhausted), "{}", error.report());
        assert!(error.message().contains("max_bytes"), "{error}");
    };
    let all = ended(begun(&honest(4)), Step::Hang);
    check(refused("announced", all, 4000).await);
    let endless = frame::message(part(vec![7; 4096], u64::MAX - 4096).encode_to_vec());
    let endless = vec![Step::ReadRequest, reply::head(), Step::Repeat(endless)];
    check(refused("endless, announced so", endless, 10 << 20).await);
    // Each message says that it is the last one.
    let endless = frame::message(part(vec![7; 4096], 0).encode_to_vec());
    let endless = vec![Step::ReadRequest, reply::head(), Step::Repeat(endless)];
    let error = refused("endless against its word", endless, 10 << 20).await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
}

#[tokio::test]
async fn silence_at_each_stage_is_a_stall() {
    let whole = answer(&honest(3));
    // The last step is the end itself.
    for steps in 1..whole.len() {
        let what = format!("after {steps} steps");
        let error = refused(&what, whole[..steps].to_vec(), u64::MAX).await;
        assert_eq!(error.kind(), ErrorKind::Timeout, "{what}: {}", error.report());
        let stalled = error.message().contains("stalled");
        assert_eq!(stalled, steps >= 2, "{what}: {error}");
    }
}

#[tokio::test]
async fn empty_messages_do_not_reset_the_idle_timeout() {
    // As many as fit into large frames, so that there is always another one to read.
    let nothing = frame::message(part("", 4096).encode_to_vec()).repeat(4096);
    let steps = vec![Step::ReadRequest, reply::head(), Step::Repeat(nothing.into())];
    let error = refused("only empty messages", steps, u64::MAX).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.report());
    // If they were, it would go on until the server paused for once.
    assert!(error.elapsed().is_some_and(|elapsed| elapsed < IDLE * 10), "{}", error.report());
}

async fn refusal(client: &Client) -> Error {
    client.snapshot().await.expect_err("refused")
}

#[tokio::test]
async fn an_error_instead_of_the_first_message_shows_when_it_is_opened() {
    for (code, text, expected) in [
        (7, "etcdserver: permission denied", Code::PermissionDenied),
        (3, "etcdserver: user name is empty", Code::UserEmpty),
        (16, "etcdserver: invalid auth token", Code::InvalidAuthToken),
        (13, "boom", Code::Other(GrpcCode::Internal)),
    ] {
        let after_head = ended(begun(&[]), reply::trailers(&code.to_string(), text));
        for steps in [reply::status(code, text), after_head] {
            let (server, client) = playing(steps).await;
            let error = refusal(&client).await;
            assert_eq!(error.code(), Some(expected), "{}", error.report());
            assert_named(&server, &error);
        }
    }
}

#[tokio::test]
async fn error_in_progress_ends_the_snapshot_after_progress() {
    let steps = ended(begun(&honest(3)[..2]), reply::trailers("14", "etcdserver: server stopped"));
    let (server, client) = playing(steps).await;
    let seen = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&seen);
    let snapshot = client.snapshot().on_progress(move |progress| {
        assert_eq!(progress.total, Some(3 * 1024 + 32));
        told.store(progress.received, Ordering::Relaxed);
    });
    let mut stream = snapshot.await.expect("opened");
    assert_eq!((stream.version(), stream.total_bytes()), (Some("3.6.0"), Some(3 * 1024 + 32)));
    assert_eq!(stream.next().await.expect("a chunk").expect("right").len(), 1024);
    let error = stream.next().await.expect("an error").expect_err("stopped");
    assert_eq!(error.code(), Some(Code::Stopped), "{}", error.report());
    assert_named(&server, &error);
    assert!(stream.next().await.is_none(), "an error is final");
    assert_eq!(seen.load(Ordering::Relaxed), 1024);
}
