//! The end of the client, and of the runtime.

use etcd_client_core::{Client, ErrorKind, LeaseId, lease::LeaseLostReason};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{kept, lost};
use crate::{
    servers::{PATIENCE, client, eventually, shared},
    tap::Tap,
};

#[tokio::test]
async fn after_close_nothing_is_kept_alive() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let leases = join_all((0..3).map(|_| kept(&client, 30))).await;
    timeout(PATIENCE, client.close()).await.expect("closing ends");
    for lease in &leases {
        assert_eq!(lost(lease).await.reason(), LeaseLostReason::Closed);
    }
    let id = LeaseId::random();
    let once = client.lease().keep_alive_once(id).await.expect_err("closed");
    let keep = client.lease().keep_alive(id).await.expect_err("closed");
    let revoke = leases[0].clone().revoke().await.expect_err("closed");
    for error in [once, keep, revoke] {
        assert_eq!(error.kind(), ErrorKind::Closed, "{}", error.report());
    }
}

#[tokio::test]
async fn a_kept_lease_keeps_its_client_alive() {
    let Some(cluster) = shared() else { return };
    let tap = Tap::default();
    let client = Client::builder(cluster.endpoints()).connector(tap.clone()).build().expect("valid");
    let lease = kept(&client, 3).await;
    let (clone, first) = (lease.clone(), lease.deadline());
    drop(client);
    eventually("it is renewed", async || lease.deadline() > first).await;
    assert!(!lease.is_lost());
    drop(lease);
    clone.revoke().await.expect("its client still calls");
    eventually("the connections are dropped", async || tap.handles() == 1).await;
}

#[test]
fn lease_is_lost_with_the_runtime_of_its_client() {
    let Some(cluster) = shared() else { return };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let first = runtime();
    let (client, lease) = first.block_on(async {
        let client = client(cluster.endpoints());
        let lease = kept(&client, 30).await;
        (client, lease)
    });
    drop(first);
    let ended = runtime().block_on(lost(&lease));
    assert_eq!(ended.reason(), LeaseLostReason::Closed);
    assert!(lease.is_lost());
    // Without any runtime, too.
    assert_eq!(futures_util::FutureExt::now_or_never(lease.lost()).expect("known").id(), lease.id());
    drop(client);
}
