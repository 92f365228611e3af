//! The cost of passing a lock from holder to holder: requests counted on the server, and handoffs per second to compare versions.
#![allow(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use etcd_concurrency::Mutex;
use tokio::time::Instant;

use crate::{
    load::questions,
    rig::{client, cluster, in_time, session},
};

const CONTENDERS: usize = 50;

/// One transaction to enter, one to leave, and one read by the waiter whose predecessor left.
const REQUESTS: f64 = 3.0;

/// `ETCD_HANDOFFS=5000` sets the number of handoffs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handoff_takes_three_requests() {
    let Some(cluster) = cluster(1).await else { return };
    let turns: usize = std::env::var("ETCD_HANDOFFS").map_or(1_000, |turns| turns.parse().expect("a number"));
    let mut mutexes = Vec::new();
    for _ in 0..CONTENDERS {
        mutexes.push(Mutex::new(&session(&client(&cluster)).await, "lock"));
    }
    let (done, before, began) = (Arc::new(AtomicUsize::new(0)), questions(&cluster).await, Instant::now());
    let mut contenders = Vec::new();
    for mutex in mutexes {
        let done = Arc::clone(&done);
        contenders.push(tokio::spawn(async move {
            while done.fetch_add(1, Ordering::Relaxed) < turns {
                mutex.lock().await.expect("its turn").unlock().await.expect("held");
            }
        }));
    }
    for contender in contenders {
        in_time("all turns", contender).await.expect("no panic");
    }
    let (took, after) = (began.elapsed(), questions(&cluster).await);
    let requests = (after.iter().sum::<u64>() - before.iter().sum::<u64>()) as f64 / turns as f64;
    println!("{:.0} handoffs/s, {requests:.3} requests each", turns as f64 / took.as_secs_f64());
    assert!(requests <= REQUESTS + 0.1, "{requests} requests for each handoff");
}
