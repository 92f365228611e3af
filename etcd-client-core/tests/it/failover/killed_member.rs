//! A follower killed under load: no read fails, a write fails only in doubt, nothing acknowledged is lost or done twice.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Error, Outcome};
use etcd_testkit::Cluster;
use tokio::{task::JoinSet, time::timeout};

const WORKERS: usize = 16;

/// Calls that must succeed before the kill and after it.
const ENOUGH: usize = 1_000;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Load {
    done: AtomicUsize,
    stop: AtomicBool,
}

/// What one worker saw: each write has a key of its own.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: Vec<String>,
    failed_writes: Vec<(String, Error)>,
    failed_reads: Vec<Error>,
}

async fn work(client: Client, load: Arc<Load>, worker: usize) -> Seen {
    let mut seen = Seen::default();
    for n in 0.. {
        if load.stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("load/{worker}/{n}");
        match client.put(key.clone(), "v").await {
            Ok(_) => seen.acknowledged.push(key.clone()),
            Err(error) => seen.failed_writes.push((key.clone(), error)),
        }
        match client.get(key).await {
            Ok(_) => _ = load.done.fetch_add(1, Ordering::Relaxed),
            Err(error) => seen.failed_reads.push(error),
        }
    }
    seen
}

async fn reached(load: &Load, done: usize) {
    let progress = async {
        while load.done.load(Ordering::Relaxed) < done {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, progress).await.expect("the load goes on");
}

/// The index of a member that does not lead.
async fn follower(cluster: &Cluster) -> usize {
    let number = |text: &str, name: &str| -> String {
        let after = text.split(name).nth(1).unwrap_or_else(|| panic!("no {name} in {text}"));
        after.chars().take_while(char::is_ascii_digit).collect()
    };
    for (index, member) in cluster.members().iter().enumerate() {
        let status = member.etcdctl(["endpoint", "status", "-w", "json"]).await.expect("status");
        if number(&status, "\"member_id\":") != number(&status, "\"leader\":") {
            return index;
        }
    }
    panic!("every member leads")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_killed_under_load() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client =
        Client::builder(cluster.endpoints()).timeout(Duration::from_secs(20)).build().expect("built");
    let victim = follower(&cluster).await;
    let load = Arc::new(Load::default());
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        workers.spawn(work(client.clone(), Arc::clone(&load), worker));
    }
    reached(&load, ENOUGH).await;
    cluster.member(victim).kill().expect("killed");
    let at_kill = load.done.load(Ordering::Relaxed);
    reached(&load, at_kill + ENOUGH).await;
    load.stop.store(true, Ordering::Relaxed);

    let mut acknowledged = HashSet::new();
    let mut in_doubt = HashSet::new();
    while let Some(seen) = workers.join_next().await {
        let seen = seen.expect("joined");
        if let Some(error) = seen.failed_reads.first() {
            panic!("a read failed: {}", error.report());
        }
        // A worker makes one write at a time: only the one in flight at the kill can fail.
        assert!(seen.failed_writes.len() <= 1, "{:?}", seen.failed_writes);
        for (key, error) in seen.failed_writes {
            assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
            assert!(
                error.report().to_string().contains(cluster.member(victim).endpoint()),
                "{}",
                error.report()
            );
            in_doubt.insert(key);
        }
        acknowledged.extend(seen.acknowledged);
    }
    let stored = client.get("load/").prefix().await.expect("read back");
    for kv in &stored.kvs {
        assert_eq!(kv.version.get(), 1, "written twice: {kv:?}");
        let key = String::from_utf8_lossy(&kv.key).into_owned();
        assert!(acknowledged.remove(&key) || in_doubt.contains(&key), "{key} came from nowhere");
    }
    assert!(acknowledged.is_empty(), "lost: {acknowledged:?}");
}
