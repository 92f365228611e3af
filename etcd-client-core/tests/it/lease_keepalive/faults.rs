//! Renewals while members are stopped, killed, cut off.

use etcd_client_core::lease::{LeaseLostReason, LeaseState};
use etcd_testkit::{Cluster, Direction, Fault, Proxy};
use futures_util::{StreamExt as _, future::join_all};
use tokio::time::{Instant, timeout};

use super::{SECOND, kept, lost};
use crate::servers::{PATIENCE, client, eventually};

#[tokio::test]
async fn a_lease_outlives_the_restart_of_its_only_member() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = kept(&client, 20).await;
    client.put("k", "v").lease(lease.id()).await.expect("put");
    eventually("it was renewed once", async || lease.deadline() > Instant::now() + 15 * SECOND).await;
    cluster.member(0).kill().expect("killed");
    cluster.member(0).restart().await.expect("restarted");
    let back = Instant::now();
    eventually("it is renewed again", async || lease.deadline() > back + 19 * SECOND).await;
    assert!(!lease.is_lost());
    assert_eq!(client.get("k").await.expect("get").count, 1);
}

#[tokio::test]
async fn the_leader_killed_and_a_member_stopped_cost_no_lease() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let leases = join_all((0..50).map(|_| kept(&client, 9))).await;
    let status = client.maintenance().status(cluster.member(0).endpoint()).await.expect("status");
    let mut leader = 0;
    for (n, member) in cluster.members().iter().enumerate() {
        let status = client.maintenance().status(member.endpoint()).await.expect("status");
        if Some(status.header.member_id) == status.leader {
            leader = n;
        }
    }
    drop(status);
    cluster.member(leader).kill().expect("killed");
    let killed = Instant::now();
    eventually("all are renewed elsewhere", async || {
        leases.iter().all(|lease| lease.deadline() > killed + 9 * SECOND)
    })
    .await;
    cluster.member(leader).restart().await.expect("restarted");
    let other = (leader + 1) % 3;
    cluster.member(other).pause().await.expect("stopped");
    let stopped = Instant::now();
    eventually("all are renewed elsewhere", async || {
        leases.iter().all(|lease| lease.deadline() > stopped + 18 * SECOND)
    })
    .await;
    cluster.member(other).resume().expect("goes on");
    assert!(leases.iter().all(|lease| !lease.is_lost()));
}

#[tokio::test]
async fn lease_revoked_during_a_partition_is_lost_afterwards() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let proxy = Proxy::to(cluster.member(0).endpoint()).expect("a proxy");
    let (cut_off, other) = (client([proxy.endpoint()]), client(cluster.endpoints()));
    let lease = kept(&cut_off, 30).await;
    proxy.fault(Direction::Both, Fault::Blackhole);
    other.lease().revoke(lease.id()).await.expect("revoked");
    proxy.heal().await;
    assert_eq!(lost(&lease).await.reason(), LeaseLostReason::NotFound);
}

#[tokio::test]
async fn keep_alive_without_a_member_fails_in_time() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = client.lease().grant(30 * SECOND).await.expect("granted");
    cluster.member(0).kill().expect("killed");
    let began = Instant::now();
    let error = client.lease().keep_alive(lease.id).await.expect_err("nobody answers");
    assert!(
        began.elapsed() < 8 * SECOND && error.is_unavailable() | error.is_timeout(),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn lease_without_members_is_lost_at_its_deadline() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = kept(&client, 3).await;
    let states = tokio::spawn(lease.states().collect::<Vec<LeaseState>>());
    eventually("it was renewed", async || lease.deadline() > Instant::now() + 2 * SECOND).await;
    cluster.member(0).kill().expect("killed");
    let gone = lost(&lease).await;
    let late = Instant::now().saturating_duration_since(lease.deadline());
    assert_eq!(gone.reason(), LeaseLostReason::Expired);
    assert!(Instant::now() >= lease.deadline() && late < SECOND, "told {late:?} after the deadline");
    let told = timeout(PATIENCE, states).await.expect("the states end").expect("no panic");
    assert!(matches!(told.first(), Some(LeaseState::Alive)), "{told:?}");
    assert!(matches!(told.last(), Some(LeaseState::Lost(_))), "{told:?}");
    assert!(told.iter().any(|state| matches!(state, LeaseState::Late { .. })), "{told:?}");
}

#[tokio::test]
async fn quorum_loss_shorter_than_the_ttl_loses_no_lease() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = kept(&client, 15).await;
    cluster.member(0).pause().await.expect("stopped");
    cluster.member(1).pause().await.expect("stopped");
    eventually("it is late", async || matches!(lease.state(), LeaseState::Late { .. })).await;
    eventually("half of its time has passed", async || lease.deadline() < Instant::now() + 7 * SECOND).await;
    assert!(!lease.is_lost());
    cluster.member(0).resume().expect("goes on");
    cluster.member(1).resume().expect("goes on");
    let back = Instant::now();
    eventually("it is renewed again", async || lease.deadline() > back + 12 * SECOND).await;
    assert!(!lease.is_lost() && matches!(lease.state(), LeaseState::Alive));
}
