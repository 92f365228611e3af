//! Many leases of one client, with the member that they are renewed through killed.
#![allow(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::time::Duration;

use etcd_client_core::lease::LeaseKeeper;
use etcd_testkit::{Cluster, Member};
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::{SECOND, kept};
use crate::servers::{client, eventually, metric};

/// How many leases, of how many seconds, for how long: with `ETCD_LONG=1` for five minutes.
fn size() -> (usize, u64, Duration) {
    let long = std::env::var("ETCD_LONG").is_ok_and(|value| value == "1");
    if long { (10_000, 60, 300 * SECOND) } else { (500, 12, 16 * SECOND) }
}

/// The streams of renewals that are open on a member.
async fn streams(member: &Member) -> f64 {
    if !member.is_running() {
        return 0.0;
    }
    let labels = ["grpc_method=\"LeaseKeepAlive\"", "grpc_type=\"bidi_stream\""];
    metric(member, "grpc_server_started_total", &labels).await
        - metric(member, "grpc_server_handled_total", &labels).await
}

/// The processor time of this process, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Lets time pass while none is lost.
async fn hold(time: Duration, leases: &[LeaseKeeper]) {
    let began = Instant::now();
    while began.elapsed() < time {
        sleep(SECOND).await;
        let lost = leases.iter().filter(|lease| lease.is_lost()).count();
        assert_eq!(lost, 0, "of {} leases, after {:?}", leases.len(), began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_survive_the_death_of_their_member() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let (count, seconds, span) = size();
    let client = client(cluster.endpoints());
    let began = Instant::now();
    let leases: Vec<LeaseKeeper> =
        stream::iter(0..count).map(|_| kept(&client, seconds)).buffer_unordered(64).collect().await;
    println!("{count} leases of {seconds} s granted within {:?}", began.elapsed());
    let (began, busy) = (Instant::now(), processor_time());
    hold(span / 2, &leases).await;
    let mut open = Vec::new();
    for member in cluster.members() {
        open.push(streams(member).await);
    }
    println!("streams on each member: {open:?}");
    assert!(open.iter().sum::<f64>() <= 16.0, "{open:?}");
    let busiest = (0..3).max_by(|a, b| open[*a].total_cmp(&open[*b])).expect("three members");
    cluster.member(busiest).kill().expect("killed");
    let killed = Instant::now();
    hold(span / 2, &leases).await;
    let share = (processor_time() - busy) / began.elapsed().as_secs_f64();
    eventually("each was renewed after that", async || {
        leases.iter().all(|lease| lease.deadline() > killed + Duration::from_secs(seconds))
    })
    .await;
    assert!(leases.iter().all(|lease| !lease.is_lost()));
    println!("the leader was killed, none was lost; {:.1} % of a processor", share * 100.0);
}
