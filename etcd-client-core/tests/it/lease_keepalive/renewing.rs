//! Renewals by a member that is well.

use std::time::Duration;

use etcd_client_core::{
    Code, LeaseId,
    lease::{LeaseLostReason, LeaseState},
};
use etcd_testkit::Cluster;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::{SECOND, kept, lost};
use crate::servers::{PATIENCE, client, eventually, metric, shared};

#[tokio::test]
async fn one_renewal_gives_a_lease_its_whole_time_again() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = client.lease().grant(30 * SECOND).await.expect("granted");
    eventually("some time has passed", async || {
        let left = client.lease().time_to_live(lease.id).await.expect("asked").ttl;
        left.expect("it lives") < 29 * SECOND
    })
    .await;
    let renewed = client.lease().keep_alive_once(lease.id).await.expect("renewed");
    assert_eq!((renewed.id, renewed.ttl), (lease.id, 30 * SECOND));
    assert!(renewed.header.revision.get() > 0);
    let left = client.lease().time_to_live(lease.id).await.expect("asked").ttl;
    assert!(left.expect("it lives") >= 29 * SECOND);
}

#[tokio::test]
async fn unknown_lease_cannot_be_renewed() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let id = LeaseId::random();
    let once = client.lease().keep_alive_once(id).await.expect_err("no such lease");
    let kept = client.lease().keep_alive(id).await.expect_err("no such lease");
    for error in [once, kept] {
        assert_eq!(error.code(), Some(Code::LeaseNotFound), "{}", error.report());
        assert_eq!(error.operation(), Some("lease keep-alive"));
    }
}

#[tokio::test]
async fn a_short_lease_outlives_its_time() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = kept(&client, 2).await;
    let first = lease.deadline();
    client.put("short", "v").lease(lease.id()).await.expect("put");
    eventually("three times its time have passed", async || first.elapsed() > 4 * SECOND).await;
    assert!(!lease.is_lost() && lease.deadline() > first + 4 * SECOND);
    assert!(matches!(lease.state(), LeaseState::Alive));
    assert_eq!(client.get("short").await.expect("get").count, 1);
    lease.revoke().await.expect("revoked");
    assert_eq!(client.get("short").await.expect("get").count, 0);
}

#[tokio::test]
async fn two_handles_share_the_renewals_of_a_lease() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let first = kept(&client, 2).await;
    let second = client.lease().keep_alive(first.id()).await.expect("kept");
    let clone = first.clone();
    assert_eq!((second.deadline(), clone.deadline()), (first.deadline(), first.deadline()));
    let ended = second.lost();
    drop((first, second));
    let began = Instant::now();
    eventually("its time has passed twice", async || began.elapsed() > 4 * SECOND).await;
    assert!(!clone.is_lost(), "the last handle keeps it alive");
    drop(clone);
    let lost = timeout(PATIENCE, ended).await.expect("in time");
    assert_eq!(lost.reason(), LeaseLostReason::Released);
}

#[tokio::test]
async fn a_dropped_lease_is_not_revoked_and_expires() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = kept(&client, 2).await;
    let id = lease.id();
    let state = lease.states();
    drop(lease);
    assert!(client.lease().time_to_live(id).await.expect("asked").ttl.is_some(), "it lives on");
    eventually("it has expired", async || {
        client.lease().time_to_live(id).await.expect("asked").ttl.is_none()
    })
    .await;
    drop(state);
}

#[tokio::test]
async fn revoking_one_of_three_loses_that_one_only() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let leases = join_all((0..3).map(|_| kept(&client, 3))).await;
    client.lease().revoke(leases[1].id()).await.expect("revoked");
    let gone = lost(&leases[1]).await;
    assert_eq!((gone.id(), gone.reason()), (leases[1].id(), LeaseLostReason::NotFound));
    assert!(leases[1].is_lost() && matches!(leases[1].state(), LeaseState::Lost(_)));
    let before: Vec<Instant> = leases.iter().map(|lease| lease.deadline()).collect();
    eventually("the others were renewed", async || [0, 2].iter().all(|n| leases[*n].deadline() > before[*n]))
        .await;
    assert!(!leases[0].is_lost() && !leases[2].is_lost());
}

#[tokio::test]
async fn lease_revoked_by_a_handle_is_lost_for_all_handles() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let lease = kept(&client, 30).await;
    let clone = lease.clone();
    let revoked = lease.revoke();
    assert!(clone.is_lost(), "from the call on");
    revoked.await.expect("revoked");
    assert_eq!(lost(&clone).await.reason(), LeaseLostReason::Revoked);
    assert_eq!(client.lease().time_to_live(clone.id()).await.expect("asked").ttl, None);
    // The id is free again, and so is its place here.
    let again = client.lease().grant(30 * SECOND).id(clone.id()).keep_alive().await.expect("granted");
    assert!(!again.is_lost() && clone.is_lost());
    again.revoke().await.expect("revoked");
}

#[tokio::test]
async fn streams_end_with_the_last_lease() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let streams = async || {
        let labels = ["grpc_method=\"LeaseKeepAlive\"", "grpc_type=\"bidi_stream\""];
        let began = metric(cluster.member(0), "grpc_server_started_total", &labels).await;
        began - metric(cluster.member(0), "grpc_server_handled_total", &labels).await
    };
    for _ in 0..2 {
        let leases = join_all((0..20).map(|_| kept(&client, 3))).await;
        eventually("all share one stream", async || streams().await == 1.0).await;
        sleep(SECOND / 10).await;
        assert_eq!(streams().await, 1.0);
        drop(leases);
        eventually("it ends", async || streams().await == 0.0).await;
    }
}

#[tokio::test]
async fn a_lease_is_renewed_through_any_member_right_after_its_grant() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let clients: Vec<_> = cluster.members().iter().map(|member| client([member.endpoint()])).collect();
    for n in 0..60 {
        let lease = clients[n % 3].lease().grant(60 * SECOND).await.expect("granted");
        for other in &clients {
            let renewed = other.lease().keep_alive_once(lease.id).await.expect("known everywhere");
            assert_eq!(renewed.ttl, Duration::from_secs(60));
        }
    }
}
