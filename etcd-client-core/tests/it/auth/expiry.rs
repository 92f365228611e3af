//! Tokens that etcd forgets: they expire, or their member restarts.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_testkit::Cluster;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep, timeout};

use super::{
    caller::Caller,
    root::{self, Root},
};
use crate::servers::PATIENCE;

/// With `ETCD_LONG=1` a minute, else enough to see several expiries of each client.
fn span() -> Duration {
    let long = std::env::var("ETCD_LONG").is_ok_and(|value| value == "1");
    Duration::from_secs(if long { 60 } else { 12 })
}

/// How many expiries a run of this length has to see.
fn expiries_wanted() -> f64 {
    if span() > Duration::from_secs(30) { 20.0 } else { 5.0 }
}

/// Callers that share a token.
const SHARING: usize = 16;

/// Adds and removes a user again and again, until `over`.
async fn change_users(cluster: &Cluster, over: &AtomicBool) {
    let root = Root::of(cluster);
    while !over.load(Ordering::Relaxed) {
        root.add_user("passer-by", "x").await;
        sleep(Duration::from_millis(700)).await;
        root.remove_user("passer-by").await;
        sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simple_tokens_of_a_second_with_idle_gaps() {
    let builder = root::cluster().arg("--auth-token-ttl", "1");
    let Some(cluster) = builder.start_or_skip().await else { return };
    let (end, over) = (Instant::now() + span(), AtomicBool::new(false));
    let idle_clients = join_all((0..8).map(|number| {
        let client = root::client(&cluster);
        async move {
            let mut caller = Caller::new(&client, number);
            while Instant::now() < end {
                caller.call().await;
                caller.stream().await;
                sleep(Duration::from_millis(fastrand::u64(500..4_000))).await;
            }
            caller.writes()
        }
    }));
    let run = async {
        let writes = idle_clients.await;
        over.store(true, Ordering::Relaxed);
        writes.iter().sum::<i64>()
    };
    let work = async { tokio::join!(run, change_users(&cluster, &over)).0 };
    let writes = timeout(span() + PATIENCE, work).await.expect("in time");
    report("simple tokens", &cluster, writes, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_tokens_of_a_second_under_load() {
    let builder = root::cluster().jwt_ttl("1s");
    let Some(cluster) = builder.start_or_skip().await else { return };
    let (end, over) = (Instant::now() + span(), AtomicBool::new(false));
    let client = root::client(&cluster);
    let busy_callers = join_all((0..SHARING).map(|number| {
        let mut caller = Caller::new(&client, number);
        async move {
            while Instant::now() < end {
                caller.call().await;
            }
            caller.writes()
        }
    }));
    let run = async {
        let writes = busy_callers.await;
        over.store(true, Ordering::Relaxed);
        writes.iter().sum::<i64>()
    };
    let work = async { tokio::join!(run, change_users(&cluster, &over)).0 };
    let writes = timeout(span() + PATIENCE, work).await.expect("in time");
    report("signed tokens", &cluster, writes, SHARING).await;
}

/// Prints what the members counted and asserts that the run was worth its name: each expiry is told to `sharing` callers at most.
async fn report(what: &str, cluster: &Cluster, writes: i64, sharing: usize) {
    let rejected = root::refused(cluster, "Unauthenticated").await;
    let expiries = rejected / sharing as f64;
    let old = root::refused(cluster, "InvalidArgument").await;
    let authenticated = root::authenticates(cluster, true).await;
    // A member that lags behind does not know yet that auth is on, and says so.
    let refused = root::authenticates(cluster, false).await;
    println!(
        "{what}: {writes} writes and as many reads in {:?}, none failed; tokens rejected {rejected}, so {expiries:.0} expiries at least, old revision \
         or no user {old}, Authenticate {authenticated} and {refused} refused",
        span()
    );
    assert!(expiries >= expiries_wanted(), "{rejected} calls of {sharing} a token heard of an expiry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_authenticate_once_for_each_loss() {
    let builder = Cluster::builder().auth(root::PASSWORD).arg("--bcrypt-cost", "4");
    let Some(cluster) = builder.start_or_skip().await else { return };
    let client = root::client(&cluster);
    let thousand = || try_join_all((0..1_000).map(|_| client.put("k", "v").into_future()));
    thousand().await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(root::authenticates(&cluster, true).await, 1.0);
    // A member that restarts knows no simple token any more, and counts anew.
    let member = cluster.member(0);
    member.stop().await.expect("stopped");
    member.restart().await.expect("restarted");
    client.ready().await.expect("connected again");
    thousand().await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(root::authenticates(&cluster, true).await, 1.0);
    assert!(root::refused(&cluster, "Unauthenticated").await >= 1.0, "the old token was rejected");
}
