//! Files that cannot be written, and what is there afterwards.

use std::{error::Error as _, fs, io};

use etcd_client_core::{Client, Error, ErrorKind};
use etcd_testkit::scripted::{Server, Step};
use tokio::io::AsyncWriteExt as _;

use super::{
    directory::{Directory, is_part},
    server::{SNAPSHOT, answer, begun, ended, honest, playing},
};
use crate::servers::eventually;

async fn served() -> (Server, Client) {
    playing(answer(&honest(4))).await
}

fn cause(error: &Error) -> Option<io::ErrorKind> {
    error.source()?.downcast_ref::<io::Error>().map(io::Error::kind)
}

#[tokio::test]
async fn invalid_path_is_rejected_before_any_request() {
    let (server, client) = served().await;
    let directory = Directory::new();
    fs::create_dir(directory.join("taken")).expect("made");
    for (path, says) in [
        (directory.join("taken"), "taken is a directory"),
        (directory.join("taken/.."), "does not name a file"),
        ("/".into(), "does not name a file"),
        ("/dev/null".into(), "/dev/null exists and is not a regular file"),
    ] {
        let error = client.snapshot().save_to(&path).await.expect_err(says);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("path")), "{error}");
        assert!(error.message().contains(says), "{error}");
        assert_eq!(error.operation(), Some("snapshot"), "{error}");
    }
    assert_eq!(server.received(SNAPSHOT), 0);
    assert_eq!(directory.names(), ["taken"]);
}

#[tokio::test]
async fn uncreatable_file_is_named() {
    let (server, client) = served().await;
    let directory = Directory::new();
    let missing = client.snapshot().save_to(directory.join("missing/backup.db")).await.expect_err("no place");
    assert_eq!((missing.kind(), cause(&missing)), (ErrorKind::Io, Some(io::ErrorKind::NotFound)));
    assert!(missing.message().contains("missing/backup.db."), "{missing}");
    assert_eq!(server.received(SNAPSHOT), 0);
}

#[tokio::test]
async fn files_left_by_a_killed_process_do_not_prevent_a_save() {
    let (_server, client) = served().await;
    let directory = Directory::new();
    let (fresh, idle) = ("backup.db.0123456789abcdef.part", "backup.db.00000000000000ff.part");
    for name in ["backup.db.part", fresh, idle] {
        fs::write(directory.join(name), "of another").expect("written");
    }
    let an_hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3601);
    let file = fs::File::options().append(true).open(directory.join(idle)).expect("opened");
    file.set_modified(an_hour_ago).expect("set back");
    for _ in 0..2 {
        client.snapshot().save_to(directory.join("backup.db")).await.expect("saved");
    }
    // What may be another save under way, and what is nobody's known, stays; what was left behind goes.
    assert_eq!(directory.names(), ["backup.db", fresh, "backup.db.part"]);
    assert_eq!(fs::read(directory.join(fresh)).expect("left alone"), b"of another");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_not_followed() {
    let (_server, client) = served().await;
    let directory = Directory::new();
    fs::write(directory.join("precious"), "precious").expect("written");
    let left = directory.join("b.db.0123456789abcdef.part");
    std::os::unix::fs::symlink(directory.join("precious"), left).expect("linked");
    std::os::unix::fs::symlink(directory.join("precious"), directory.join("b.db")).expect("linked");
    client.snapshot().save_to(directory.join("b.db")).await.expect("replaces the link");
    assert_eq!(fs::read(directory.join("precious")).expect("left alone"), b"precious");
    assert!(fs::symlink_metadata(directory.join("b.db")).expect("there").is_file());
}

#[tokio::test]
async fn a_writer_that_fails_is_the_cause() {
    let (server, client) = served().await;
    let (mut writer, reader) = tokio::io::duplex(64);
    drop(reader);
    let error = client.snapshot().write_to(&mut writer).await.expect_err("nobody reads");
    assert_eq!((error.kind(), cause(&error)), (ErrorKind::Io, Some(io::ErrorKind::BrokenPipe)), "{error}");
    assert_eq!(error.operation(), Some("snapshot"));
    server.wait_until(|counts| counts.open_calls == 0).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn full_disk_is_reported() {
    let (_server, client) = served().await;
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut writer = tokio::io::BufWriter::new(tokio::fs::File::from_std(full));
    let error = client.snapshot().write_to(&mut writer).await.expect_err("no space");
    assert_eq!((error.kind(), cause(&error)), (ErrorKind::Io, Some(io::ErrorKind::StorageFull)), "{error}");
    assert!(error.report().to_string().contains("room on the disk"), "{}", error.report());
}

#[tokio::test]
async fn partly_read_stream_is_not_saved() {
    let (_server, client) = served().await;
    let directory = Directory::new();
    let mut stream = client.snapshot().await.expect("opened");
    stream.next().await.expect("a chunk").expect("right");
    let error = stream.save_to(directory.join("backup.db")).await.expect_err("the start is missing");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("stream")), "{error}");
    let mut stream = client.snapshot().await.expect("opened");
    while let Some(chunk) = stream.next().await {
        chunk.expect("right");
    }
    stream.write_to(&mut Vec::new()).await.expect_err("it is at its end");
    assert!(directory.names().is_empty());
}

#[tokio::test]
async fn dropping_in_progress_leaves_no_file() {
    let (server, client) = playing(ended(begun(&honest(4)[..3]), Step::Hang)).await;
    let directory = Directory::new();
    let path = directory.join("backup.db");
    let saving = tokio::spawn(client.snapshot().save_to(path));
    eventually("the file is begun", async || directory.names().first().is_some_and(|name| is_part(name)))
        .await;
    server.wait_until(|counts| counts.open_calls == 1).await;
    saving.abort();
    assert!(saving.await.expect_err("aborted").is_cancelled());
    assert!(directory.names().is_empty(), "{:?}", directory.names());
    server.wait_until(|counts| counts.open_calls == 0).await;
}

#[test]
fn dropping_at_once_leaves_no_file() {
    let directory = Directory::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = crate::servers::client(["http://127.0.0.1:1"]);
        for number in 0..100 {
            let path = directory.join(number.to_string());
            let mut saving = Box::pin(client.snapshot().save_to(path));
            // The file is being made on another thread.
            assert!(futures_util::poll!(saving.as_mut()).is_pending());
        }
    });
    // Waits for these threads.
    drop(runtime);
    assert!(directory.names().is_empty(), "{:?}", directory.names());
}

#[tokio::test]
async fn stalled_reader_gets_everything_later() {
    let (_server, client) = served().await;
    let (mut writer, mut reader) = tokio::io::duplex(64);
    let writing = tokio::spawn(async move {
        let summary = client.snapshot().write_to(&mut writer).await.expect("written");
        writer.shutdown().await.expect("shut down");
        summary
    });
    let mut bytes = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut bytes).await.expect("read");
    let summary = writing.await.expect("no panic");
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(summary.sha256.as_bytes()[..], bytes[bytes.len() - 32..]);
}
