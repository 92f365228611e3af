//! SIGTERM: no read fails, no write on a follower either, and on a leader only those in flight while leadership moves.

use etcd_testkit::Line;
use tokio::time::Instant;

use crate::rig::{ENOUGH, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_follower_costs_nothing() {
    let Some(rig) = Rig::start().await else { return };
    let victim = rig.follower().await;
    let line = rig.cluster.version().line();
    let fault = Instant::now();
    rig.cluster.member(victim).terminate().expect("terminated");
    rig.cluster.member(victim).wait_exit().await.expect("it ends");
    let ended = Instant::now();
    rig.load.answered(ENOUGH).await;
    let leader = rig.leader_besides(Some(victim)).await;
    let history = rig.finish(leader, fault).await;
    if line >= Line::V3_5 {
        history.assert_no_write_failed(fault);
    } else {
        // 3.4 ends connections without a warning.
        history.assert_writes_fail_only(fault, "in flight on the ending member", |call| {
            call.start <= ended && call.end >= fault
        });
    }
    history.print(format_args!("follower terminated, gone after {:?}", ended - fault), &[fault]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_leader_costs_the_writes_in_flight_while_leadership_moves() {
    let Some(rig) = Rig::start().await else { return };
    let victim = rig.leader().await;
    let fault = Instant::now();
    rig.cluster.member(victim).terminate().expect("terminated");
    let leader = rig.leader_besides(Some(victim)).await;
    let moved = Instant::now();
    rig.cluster.member(victim).wait_exit().await.expect("it ends");
    let ended = Instant::now();
    rig.load.answered(ENOUGH).await;
    let history = rig.finish(leader, fault).await;
    history.assert_writes_fail_only(fault, "in flight while leadership moved", |call| {
        call.start <= moved && call.end >= fault
    });
    history.print(format_args!("leader terminated, gone after {:?}", ended - fault), &[fault]);
}
