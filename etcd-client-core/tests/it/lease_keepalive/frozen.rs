//! A client whose process is stopped for longer than its lease lives: what it sees first is that the lease is lost.
#![allow(clippy::print_stdout, reason = "that is how the stopped process tells what it saw")]

use std::{
    fs::{File, read_to_string},
    process::{Child, Command},
};

use etcd_client_core::LeaseId;
use tokio::time::sleep;

use super::{SECOND, kept};
use crate::servers::{client, eventually, shared};

const ENDPOINT: &str = "FROZEN_CLIENT_ENDPOINT";

/// Ended with the test.
struct Process(Child);

impl Process {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {name}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn resumed_process_sees_its_expired_lease_as_lost() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let dir = tempfile::tempdir().expect("a directory");
    let said = dir.path().join("said");
    let process = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "lease_keepalive::frozen::the_process_that_is_stopped", "--ignored", "--nocapture"])
        .env(ENDPOINT, cluster.member(0).endpoint())
        .stdout(File::create(&said).expect("a file"))
        .spawn();
    let process = Process(process.expect("it starts"));
    let text = || read_to_string(&said).expect("text");
    eventually("it keeps a lease alive", async || text().matches("alive").count() > 100).await;
    let text_before = text();
    let id = text_before.split("kept ").nth(1).and_then(|rest| rest.get(..16)).expect("it says which");
    let id: LeaseId = id.parse().expect("an id");
    process.signal("-STOP");
    eventually("the lease has expired", async || {
        client.lease().time_to_live(id).await.is_ok_and(|lease| lease.ttl.is_none())
    })
    .await;
    let before = text().len();
    process.signal("-CONT");
    eventually("it has found out", async || text().contains("lost: ")).await;
    let after = text().split_off(before);
    // One look may have been under way when it was stopped.
    assert!(after.matches("alive").count() <= 1, "{after}");
}

/// Looks at its lease again and again.
#[tokio::test]
#[ignore = "runs in a process of its own, beside the test above"]
async fn the_process_that_is_stopped() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else { return };
    let client = client([endpoint]);
    let lease = kept(&client, 2).await;
    println!("kept {}", lease.id());
    while !lease.is_lost() {
        println!("alive");
        sleep(SECOND / 200).await;
    }
    println!("lost: {}", lease.lost().await);
}
