//! The link to a member goes silent, its connections stay open: the same bounds as for a member that hangs.

use std::time::Duration;

use etcd_testkit::{Direction, Fault};
use tokio::time::Instant;

use crate::{
    paused::assert_bounds,
    rig::{HUNG, Rig},
};

async fn a_silent_link(name: &str, direction: Direction, silence: Fault) {
    let Some(rig) = Rig::behind_proxies().await else { return };
    let victim = rig.follower().await;
    let proxy = rig.proxied.as_ref().expect("behind proxies").proxy(victim);
    let fault = Instant::now();
    proxy.fault(direction, silence);
    let before = proxy.counts().connects;
    rig.load.answered_since(fault + HUNG + Duration::from_millis(500)).await;
    let attempts = proxy.counts().connects - before;
    proxy.heal().await;
    let healed = Instant::now();
    rig.used_again(victim, healed).await;
    let again = healed.elapsed();
    let leader = rig.leader().await;
    let history = rig.finish(leader, fault).await;
    assert_bounds(&history, fault, healed, Duration::ZERO);
    history.print(
        format_args!("{name}, {attempts} connects meanwhile, used {again:?} after it was healed"),
        &[fault],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swallowed_both_ways() {
    a_silent_link("link swallows both ways", Direction::Both, Fault::Blackhole).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_swallowed() {
    a_silent_link("link swallows requests", Direction::ToServer, Fault::Blackhole).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_swallowed() {
    a_silent_link("link swallows answers", Direction::ToClient, Fault::Blackhole).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_windows() {
    a_silent_link("windows closed both ways", Direction::Both, Fault::ZeroWindow).await;
}
