//! SIGKILL: no read fails, and of the writes only those in flight on the member, or while leadership moves.

use std::time::Duration;

use tokio::time::Instant;

use crate::rig::{ENOUGH, Rig};

/// How soon the next call must succeed when a follower was killed, on a machine where calls take less than that anyway; in
/// virtual time it is asserted of every call, in the simulation `killed`.
const NEXT: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_follower_costs_the_writes_in_flight_on_it() {
    let Some(rig) = Rig::start().await else { return };
    let victim = rig.follower().await;
    let endpoint = rig.cluster.member(victim).endpoint().to_owned();
    let fault = Instant::now();
    rig.cluster.member(victim).kill().expect("killed");
    rig.cluster.member(victim).wait_exit().await.expect("dead");
    let dead = Instant::now();
    rig.load.answered(ENOUGH).await;
    let leader = rig.leader_besides(Some(victim)).await;
    let history = rig.finish(leader, fault).await;
    history.assert_writes_fail_only(fault, "in flight on the killed member", |call| {
        let error = call.failure().expect("it failed");
        let on_it = error.attempts().iter().any(|attempt| attempt.sent() && attempt.endpoint() == endpoint);
        call.start <= dead && call.end >= fault && on_it
    });
    history.assert_first_success(fault, NEXT.max(history.slowest_before(fault)));
    history.print("follower killed", &[fault]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_costs_the_writes_in_flight_while_leadership_moves() {
    let Some(rig) = Rig::start().await else { return };
    let victim = rig.leader().await;
    let fault = Instant::now();
    rig.cluster.member(victim).kill().expect("killed");
    rig.cluster.member(victim).wait_exit().await.expect("dead");
    let leader = rig.leader_besides(Some(victim)).await;
    let moved = Instant::now();
    rig.load.answered(ENOUGH).await;
    let history = rig.finish(leader, fault).await;
    history.assert_writes_fail_only(fault, "in flight while leadership moved", |call| {
        call.start <= moved && call.end >= fault
    });
    history.print(format_args!("leader killed, another after {:?}", moved - fault), &[fault]);
}
