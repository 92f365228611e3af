//! A TCP load balancer that closes connections which were idle for 2 s, and puts around that moment.
#![allow(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::time::Duration;

use etcd_client_core::Outcome;
use etcd_testkit::Cluster;
use tokio::{task::JoinSet, time::sleep};

use super::rounds;
use crate::servers::client;

/// After this much idleness the balancer closes a connection.
const IDLE: Duration = Duration::from_secs(2);

/// Puts are sent from so much before the cut to as much after it.
const AROUND: Duration = Duration::from_millis(30);

/// The puts of one round, of a client each.
const PUTS: usize = 18;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_around_the_cut_of_a_balancer_are_hardly_ever_unknown() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    // As HAProxy in TCP mode: at its timeout it closes both sides at once, with FIN, and answers what comes later with RST.
    let balancer = cluster.balanced(Some(IDLE)).expect("a port");
    let (mut unknown, mut all) = (0_u32, 0_u32);
    // Two rounds as a rule. More show whether a worse result was chance: a put that is on its way at the very moment of the cut.
    for round in 0..rounds(20) {
        if round >= rounds(2) && unknown <= bound(all) {
            break;
        }
        let mut puts = JoinSet::new();
        for n in 0..PUTS {
            let client = client([balancer.endpoint()]);
            puts.spawn(async move {
                client.put(format!("{round}/{n}"), "v").await.expect("the first put");
                sleep(IDLE - AROUND + 2 * AROUND * n as u32 / PUTS as u32).await;
                client.put(format!("{round}/{n}"), "w").await.map(drop)
            });
        }
        while let Some(put) = puts.join_next().await {
            all += 1;
            if let Err(error) = put.expect("no panic") {
                assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
                unknown += 1;
            }
        }
    }
    println!("idle cut: {unknown} of {all} puts unknown");
    assert!(unknown <= bound(all), "{unknown} of {all} puts are unknown");
}

/// The number of puts that may be unknown: one, and one more of each 360.
fn bound(all: u32) -> u32 {
    1 + all / 360
}
