//! Many contenders for one lock while members are killed repeatedly. `ETCD_LONG=1` makes it run for five minutes.
#![allow(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Outcome, Put};
use etcd_concurrency::{Guard, Mutex, Session};
use etcd_testkit::Cluster;
use tokio::time::{Instant, sleep, timeout};

use crate::rig::{PATIENCE, client, cluster, count, eventually, in_time};

const LOCKERS: usize = 200;

/// A member is down for a shorter time, so that no lease is lost.
const TTL: Duration = Duration::from_secs(60);

const KILL_EVERY: Duration = Duration::from_secs(5);

/// The shared state of all contenders.
#[derive(Debug, Default)]
struct Crowd {
    over: AtomicBool,
    held: AtomicBool,
    fence: AtomicI64,
    turns: AtomicUsize,
    left: AtomicUsize,
}

impl Crowd {
    /// One turn of a holder: it is alone, has a higher fence than all before it, and may write until it releases the lock.
    async fn turn(&self, client: &Client, guard: Guard) {
        assert!(!self.held.swap(true, Ordering::SeqCst), "two hold the lock");
        let fence = guard.fence().get();
        assert!(self.fence.swap(fence, Ordering::SeqCst) < fence, "fences grow");
        let owned = guard.owned();
        let write = || client.txn().when(owned.clone()).then(Put::new("guarded", fence.to_string()));
        match write().await {
            Ok(written) => assert!(written.succeeded(), "the holder may write"),
            Err(error) => assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report()),
        }
        self.held.store(false, Ordering::SeqCst);
        let unlocked = guard.unlock().await;
        // A write of a former holder is rejected, no matter how often it tries.
        if unlocked.is_ok() {
            let late = write().await;
            assert!(!late.is_ok_and(|late| late.succeeded()), "a former holder wrote");
        }
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    async fn locker(&self, client: Client, session: Session, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mutex = Mutex::new(&session, "lock");
        while !self.over.load(Ordering::Relaxed) {
            let leaves = random.f64() < 0.3;
            let patience = if leaves { Duration::from_millis(random.u64(..500)) } else { PATIENCE };
            match timeout(patience, mutex.lock()).await {
                Ok(Ok(guard)) => self.turn(&client, guard).await,
                Ok(Err(error)) => assert!(error.client().is_some(), "{error}"),
                Err(_elapsed) => {
                    self.left.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

async fn kill_members(cluster: &Cluster, until: Instant) -> usize {
    let mut killed = 0;
    while Instant::now() < until {
        let member = cluster.member(killed % cluster.members().len());
        member.kill().expect("killed");
        member.wait_exit().await.expect("dead");
        member.restart().await.expect("back");
        cluster.wait_healthy(PATIENCE).await.expect("healthy");
        killed += 1;
        sleep(KILL_EVERY).await;
    }
    killed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crowd_takes_turns_while_members_are_killed() {
    let Some(cluster) = cluster(3).await else { return };
    let lasts = Duration::from_secs(if std::env::var_os("ETCD_LONG").is_some() { 300 } else { 12 });
    let clients = [client(&cluster), client(&cluster), client(&cluster), client(&cluster)];
    let crowd = Arc::new(Crowd::default());
    let mut lockers = Vec::new();
    for number in 0..LOCKERS {
        let client = clients[number % clients.len()].clone();
        let session = Session::builder(&client).ttl(TTL).await.expect("a session");
        let crowd = Arc::clone(&crowd);
        lockers.push(tokio::spawn(async move { crowd.locker(client, session, number as u64).await }));
    }
    let killed = kill_members(&cluster, Instant::now() + lasts).await;
    crowd.over.store(true, Ordering::Relaxed);
    for locker in lockers {
        in_time("the last turns", locker).await.expect("no panic");
    }
    let (turns, left) = (crowd.turns.load(Ordering::Relaxed), crowd.left.load(Ordering::Relaxed));
    println!("{killed} members killed, {turns} turns, {left} left early");
    assert!(killed > 0 && turns > 0 && left > 0);
    eventually("no key is left", async || count(&clients[0], "lock/").await == 0).await;
}
