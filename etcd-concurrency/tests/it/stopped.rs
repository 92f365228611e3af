//! Stopped holders and stopped members: stale state never permits a guarded write.
#![allow(clippy::print_stdout, reason = "that is how the stopped process tells what it saw")]

use std::{
    fs::{File, read_to_string},
    process::{Child, Command},
    time::Duration,
};

use etcd_client_core::{Client, Outcome, Put, Revision};
use etcd_concurrency::{Mutex, Session};
use tokio::time::sleep;

use crate::rig::{PATIENCE, cluster, count, eventually, session};

const ENDPOINT: &str = "STOPPED_HOLDER_ENDPOINT";
const SHORT: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(2);

/// Killed at the end of the test.
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

fn client<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> Client {
    Client::builder(endpoints).build().expect("the endpoints are valid")
}

async fn written(client: &Client) -> Option<Revision> {
    client.get("guarded").await.expect("get").kvs.first().map(|kv| kv.mod_revision)
}

#[tokio::test]
async fn stopped_holder_writes_nothing_after_it_continues() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(cluster.endpoints());
    let folder = tempfile::tempdir().expect("a folder");
    let said = folder.path().join("said");
    let process = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "stopped::stopped_holder_process", "--ignored", "--nocapture"])
        .env(ENDPOINT, cluster.member(0).endpoint())
        .stdout(File::create(&said).expect("a file"))
        .spawn();
    let process = Process(process.expect("it starts"));
    let text = || read_to_string(&said).expect("text");
    eventually("it holds the lock and writes", async || text().matches("wrote").count() > 20).await;
    process.signal("-STOP");
    eventually("its lease has expired", async || count(&client, "lock/").await == 0).await;
    let (before, last) = (text().len(), written(&client).await);
    process.signal("-CONT");
    eventually("it has noticed", async || text().contains("rejected late")).await;
    let after = text().split_off(before);
    assert!(after.contains("stopped: "), "{after}");
    // One poll may have been running when the process was stopped.
    assert!(after.matches("polled").count() <= 1, "{after}");
    assert!(after.find("lost: ") < after.find("rejected late"), "{after}");
    assert_eq!(written(&client).await, last, "nothing was written after the expiry");
}

/// Writes while it appears to hold the lock, and once more.
#[tokio::test]
#[ignore = "runs in a process of its own, beside the test above"]
async fn stopped_holder_process() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else { return };
    let client = client([endpoint]);
    let session = Session::builder(&client).ttl(TTL).await.expect("a session");
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let lost = guard.lost();
    let write = || client.txn().when(guard.owned()).then(Put::new("guarded", "v"));
    let work = async {
        loop {
            println!("polled");
            if write().await.is_ok_and(|txn| txn.succeeded()) {
                println!("wrote");
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    // The process does not end by itself.
    let Err(error) = guard.scope(work).await;
    println!("stopped: {error}");
    println!("lost: {}", lost.await);
    match write().await {
        Ok(txn) if txn.succeeded() => println!("wrote late"),
        Ok(_) => println!("rejected late"),
        Err(error) => println!("failed late: {error}"),
    }
}

#[tokio::test]
async fn partitioned_member_confirms_no_lost_lock() {
    let Some(cluster) = cluster(3).await else { return };
    let member = cluster.member(1);
    let endpoints = |frozen: bool| {
        let chosen = cluster.members().iter().enumerate().filter(move |(index, _)| (*index == 1) == frozen);
        chosen.map(|(_, member)| member.endpoint()).collect::<Vec<_>>()
    };
    let others = client(endpoints(false));
    let session = session(&others).await;
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    let owned = guard.owned();
    let asked = client(endpoints(true));
    let key = guard.key().clone();
    let has_it = async || asked.get(key.clone()).serializable().await.is_ok_and(|got| got.count == 1);
    eventually("the member has the key", has_it).await;

    member.pause().await.expect("paused");
    // Before the write: messages of the others must not wait in the frozen member's sockets.
    cluster.isolate(1).expect("isolated");
    drop(guard);
    let gone = async || others.get(key.clone()).timeout(SHORT).await.is_ok_and(|got| got.count == 0);
    eventually("the lock is given back", gone).await;
    cluster.cut_peer_links();
    member.resume().expect("resumed");
    asked.wait_ready(PATIENCE).await.expect("clients are not cut off");

    match asked.txn().when(owned.clone()).timeout(SHORT).await {
        Ok(answer) => assert!(!answer.succeeded(), "a stale response"),
        Err(error) => assert_eq!(error.outcome(), Outcome::NotApplied, "{error}"),
    }
    let write = asked.txn().when(owned.clone()).then(Put::new("guarded", "v")).timeout(SHORT).await;
    assert!(!write.is_ok_and(|write| write.succeeded()), "a write for a lock that is gone");
    // The response that the member would send if it could: the test is able to fail.
    let stale = asked.txn().when(owned).serializable().await.expect("needs no quorum");
    assert!(stale.succeeded(), "the member is not stale");
}
