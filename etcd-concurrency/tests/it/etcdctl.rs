//! `etcdctl lock` and `etcdctl elect` in one queue with this client.

use std::process::Stdio;

use etcd_concurrency::{Election, Mutex};
use etcd_testkit::Cluster;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::rig::{client, cluster, count, eventually, in_time, session};

/// A command of etcdctl that runs until it is interrupted.
fn start(cluster: &Cluster, args: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = Command::new(&cluster.binaries().etcdctl);
    command.arg(format!("--endpoints={}", cluster.endpoints().join(","))).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ETCDCTL_"))
    {
        command.env_remove(name);
    }
    let mut child = command.spawn().expect("etcdctl starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    (child, lines)
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    in_time("a line of etcdctl", lines.next_line()).await.expect("text").expect("a line")
}

#[tokio::test]
async fn etcdctl_lock_and_this_client_wait_for_each_other() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = session(&client).await;
    let mutex = Mutex::new(&session, "lock");
    let guard = mutex.lock().await.expect("free");
    // It holds the lock while its own command runs, and then releases it.
    let (mut other, mut lines) = start(&cluster, &["lock", "lock", "--", "sh", "-c", "echo held; sleep 2"]);
    eventually("etcdctl queues", async || count(&client, "lock/").await == 2).await;
    let behind = tokio::spawn(async move { mutex.lock().await });
    guard.unlock().await.expect("held");
    assert_eq!(line(&mut lines).await, "held");
    eventually("this client queues again", async || count(&client, "lock/").await == 2).await;
    let guard = in_time("its turn", behind).await.expect("no panic").expect("its turn");
    in_time("etcdctl", other.wait()).await.expect("it ends");
    assert_eq!(count(&client, "lock/").await, 1);
    guard.unlock().await.expect("held");
}

#[tokio::test]
async fn etcdctl_elect_takes_turns_with_this_client() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = session(&client).await;
    let election = Election::new(&session, "office");
    let leadership = election.campaign("rust").await.expect("free");
    let (_other, mut lines) = start(&cluster, &["elect", "office", "go"]);
    eventually("etcdctl queues", async || count(&client, "office/").await == 2).await;
    let (_listener, mut heard) = start(&cluster, &["elect", "--listen", "office"]);
    assert_eq!(line(&mut heard).await, String::from_utf8_lossy(leadership.key().as_bytes()));
    assert_eq!(line(&mut heard).await, "rust");
    leadership.resign().await.expect("leads");
    let key = line(&mut lines).await;
    assert_eq!(line(&mut lines).await, "go");
    let leader = election.leader().await.expect("a response").expect("a leader");
    assert_eq!(leader.key_str(), Ok(key.as_str()));
    // It dies without revoking its lease; this client revokes it in place of the expiry.
    client.lease().revoke(leader.lease.expect("a lease")).await.expect("revoked");
    in_time("its turn", election.campaign("rust again"))
        .await
        .expect("elected")
        .resign()
        .await
        .expect("leads");
}
