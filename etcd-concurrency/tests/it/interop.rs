//! One queue of three kinds of contenders: this crate's, `etcdctl lock`, and the members' own Lock service.
//!
//! Each contender appends its key to one file when it enters and when it leaves.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use etcd_client_core::{
    Client, Key,
    kv::{SortOrder, SortTarget},
};
use etcd_concurrency::Mutex;
use etcd_testkit::Cluster;
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};

use crate::rig::{TTL, client, cluster, count, eventually, in_time, session};

const OURS: u64 = 20;
const SERVED: u64 = 10;
const ETCDCTLS: u64 = 10;

/// Long enough to notice a second holder.
const INSIDE: Duration = Duration::from_millis(10);

fn note(file: &Path, what: &str, key: &Key) {
    let mut file = OpenOptions::new().append(true).create(true).open(file).expect("the file can be written");
    // One write: lines of several processes do not mix.
    let key = String::from_utf8_lossy(key.as_bytes());
    file.write_all(format!("{what} {key}\n").as_bytes()).expect("written");
}

async fn inside(file: &Path, key: &Key) {
    note(file, "in", key);
    tokio::time::sleep(INSIDE).await;
    note(file, "out", key);
}

fn ours(client: &Client, file: PathBuf) -> JoinHandle<()> {
    let client = client.clone();
    tokio::spawn(async move {
        let session = session(&client).await;
        let guard = Mutex::new(&session, "lock").lock().await.expect("its turn");
        inside(&file, guard.key()).await;
        guard.unlock().await.expect("held");
    })
}

fn served(client: &Client, file: PathBuf) -> JoinHandle<()> {
    let client = client.clone();
    tokio::spawn(async move {
        let lease = client.lease().grant(TTL).keep_alive().await.expect("a lease");
        let lock = client.server_lock().lock("lock", lease.id()).await.expect("its turn");
        inside(&file, &lock.key).await;
        client.server_lock().unlock(lock.key).await.expect("unlocked");
    })
}

fn etcdctl(cluster: &Cluster, file: &Path) -> Child {
    let mut command = Command::new(&cluster.binaries().etcdctl);
    command.arg(format!("--endpoints={}", cluster.endpoints().join(",")));
    let script = "echo in $ETCD_LOCK_KEY >> $0; sleep 0.01; echo out $ETCD_LOCK_KEY >> $0";
    command.args(["lock", "--ttl=120", "lock", "--", "sh", "-c", script]).arg(file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().expect("etcdctl starts")
}

/// Returns the holders in their order. Fails if two held at once.
fn turns(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').expect("two words")).collect();
    lines
        .chunks(2)
        .map(|pair| match pair {
            [("in", entered), ("out", left)] if entered == left => *entered,
            _ => panic!("two were inside: {text}"),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_a_lock_with_go_contenders() {
    let Some(cluster) = cluster(3).await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("turns");
    let client = client(&cluster);
    let first = session(&client).await;
    let held = Mutex::new(&first, "lock").lock().await.expect("free");
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    let mut commands: Vec<Child> = Vec::new();
    for number in 0..OURS {
        tasks.push(ours(&client, file.clone()));
        if number < SERVED {
            tasks.push(served(&client, file.clone()));
        }
        if number < ETCDCTLS {
            commands.push(etcdctl(&cluster, &file));
        }
    }
    let all = 1 + OURS + SERVED + ETCDCTLS;
    eventually("all have queued", async || count(&client, "lock/").await == all).await;
    let queued = client.get("lock/").prefix().sort(SortTarget::CreateRevision, SortOrder::Ascend).await;
    let queued = queued.expect("the queue").kvs;
    held.unlock().await.expect("held");
    for task in tasks {
        in_time("its turn", task).await.expect("no panic");
    }
    for command in &mut commands {
        assert!(in_time("etcdctl", command.wait()).await.expect("it ends").success());
    }
    let text = std::fs::read_to_string(&file).expect("written");
    let expected: Vec<_> = queued[1..].iter().map(|kv| kv.key_str().expect("text")).collect();
    assert_eq!(turns(&text), expected, "turns come in the order of arrival");
    eventually("nothing is left", async || count(&client, "lock/").await == 0).await;
}
