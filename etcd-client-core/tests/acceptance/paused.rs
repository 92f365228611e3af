//! SIGSTOP: a member hangs with its connections open. Reads find another, and the member is used again afterwards.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    history::{Call, History, Kind},
    rig::{HUNG, Rig},
};

/// No call has a longer deadline, and none takes much longer than its deadline.
const DEADLINE: Duration = Duration::from_millis(5_500);

/// What a call may take that does not touch the hung member, where none took longer right before the fault.
const SWIFT: Duration = Duration::from_secs(1);

/// The bounds of a member that hangs from `fault` on, for those it leads until another does.
pub(super) fn assert_bounds(history: &History, fault: Instant, healed: Instant, election: Duration) {
    let elsewhere = fault + HUNG + election;
    assert!(healed > elsewhere, "the fault was healed before its effect could be seen");
    let began = history.calls.iter().map(|call| call.start).min().expect("there were calls");
    let ended = Instant::now();
    history.assert_within(Kind::Read, began..ended, HUNG + election, fault);
    history.assert_within(Kind::Write, began..ended, DEADLINE, fault);
    let swift = SWIFT.max(history.slowest_before(fault));
    history.assert_within(Kind::Read, elsewhere..healed, swift, fault);
    history.assert_within(Kind::Write, elsewhere..healed, swift, fault);
    history.assert_writes_fail_only(fault, "in flight on the hung member", |call| {
        call.start <= elsewhere && call.end >= fault
    });
    let stuck = |call: &&Call| call.start <= elsewhere && call.took() > Duration::from_millis(500);
    assert!(history.calls.iter().any(|call| stuck(&call)), "the fault hit no call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_follower() {
    let Some(rig) = Rig::start().await else { return };
    let victim = rig.follower().await;
    let fault = Instant::now();
    rig.cluster.member(victim).pause().await.expect("paused");
    // Beyond the deadlines of the writes that hang with it.
    rig.load.answered_since(fault + DEADLINE).await;
    rig.cluster.member(victim).resume().expect("resumed");
    let healed = Instant::now();
    rig.used_again(victim, healed).await;
    let again = healed.elapsed();
    let leader = rig.leader().await;
    let history = rig.finish(leader, fault).await;
    assert_bounds(&history, fault, healed, Duration::ZERO);
    history.print(format_args!("follower paused, used {again:?} after it went on"), &[fault]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_leader() {
    let Some(rig) = Rig::start().await else { return };
    let victim = rig.leader().await;
    let fault = Instant::now();
    rig.cluster.member(victim).pause().await.expect("paused");
    rig.leader_besides(Some(victim)).await;
    let election = fault.elapsed();
    rig.load.answered_since(fault + HUNG + election + Duration::from_millis(500)).await;
    rig.cluster.member(victim).resume().expect("resumed");
    let healed = Instant::now();
    rig.used_again(victim, healed).await;
    let again = healed.elapsed();
    let leader = rig.leader().await;
    let history = rig.finish(leader, fault).await;
    assert_bounds(&history, fault, healed, election);
    history.print(
        format_args!("leader paused, another after {election:?}, used {again:?} after it went on"),
        &[fault],
    );
}
