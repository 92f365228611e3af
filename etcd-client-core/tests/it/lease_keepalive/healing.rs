//! Leases that heal themselves.

use etcd_client_core::{client::HealingEvent, lease::LeaseLostReason};
use etcd_testkit::Cluster;
use futures_util::{Stream, StreamExt as _};
use tokio::time::timeout;

use super::SECOND;
use crate::servers::{PATIENCE, client, eventually};

async fn next(events: &mut (impl Stream<Item = HealingEvent> + Unpin)) -> HealingEvent {
    timeout(PATIENCE, events.next()).await.expect("in time").expect("an event")
}

#[tokio::test]
async fn revoked_lease_is_re_created_with_its_keys() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = client.healing_lease(3 * SECOND).attach("a", "1").attach("b", "2").await.expect("granted");
    lease.attach("c", "3").await.expect("put");
    lease.attach("a", "changed").await.expect("put");
    lease.attach("gone", "x").await.expect("put");
    lease.detach("gone");
    let mut events = lease.events();
    let first = lease.id();
    client.lease().revoke(first).await.expect("revoked");
    // Somebody else is quicker.
    client.put("b", "theirs").await.expect("put");
    let HealingEvent::Lost(lost) = next(&mut events).await else { panic!("it was lost") };
    assert_eq!((lost.id(), lost.reason()), (first, LeaseLostReason::NotFound));
    let HealingEvent::Taken { key } = next(&mut events).await else { panic!("b is taken") };
    assert_eq!(key.as_bytes(), b"b");
    let HealingEvent::Healed { lease: second } = next(&mut events).await else { panic!("it was healed") };
    assert!(second != first && lease.id() == second);
    for (key, value, of) in [("a", "changed", Some(second)), ("b", "theirs", None), ("c", "3", Some(second))]
    {
        let found = client.get(key).await.expect("get").kvs.pop().expect("it is there");
        assert_eq!((found.value, found.lease), (value.into(), of), "{key}");
    }
    assert_eq!(client.get("gone").await.expect("get").count, 0);

    let clone = lease.clone();
    lease.revoke().await.expect("revoked");
    let HealingEvent::Ended(ended) = next(&mut events).await else { panic!("it is over") };
    assert_eq!(ended.reason(), LeaseLostReason::Revoked);
    assert_eq!(client.get("a").await.expect("get").count, 0);
    drop(clone);
    assert!(timeout(PATIENCE, events.next()).await.expect("in time").is_none());
}

#[tokio::test]
async fn an_outage_longer_than_the_time_to_live_is_healed() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let lease = client.healing_lease(2 * SECOND).attach("k", "v").await.expect("granted");
    let mut events = lease.events();
    cluster.member(0).kill().expect("killed");
    assert!(matches!(next(&mut events).await, HealingEvent::Lost(_)));
    cluster.member(0).restart().await.expect("restarted");
    loop {
        match next(&mut events).await {
            HealingEvent::Healed { lease } => {
                break assert_eq!(client.get("k").await.expect("get").kvs[0].lease, Some(lease));
            }
            // Nobody could be asked, or a lease was late.
            HealingEvent::Failed(_) | HealingEvent::Lost(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn closing_the_client_and_dropping_the_handle_end_it() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let (first, second) = (client(cluster.endpoints()), client(cluster.endpoints()));
    let lease = first.healing_lease(2 * SECOND).attach("k", "v").await.expect("granted");
    let mut events = lease.events();
    first.close().await;
    assert!(matches!(next(&mut events).await, HealingEvent::Ended(_)));
    let lease = second.healing_lease(2 * SECOND).attach("l", "v").await.expect("granted");
    let events = lease.events();
    drop(lease);
    assert_eq!(timeout(PATIENCE, events.count()).await.expect("it ends"), 0);
    eventually("the key expires", async || second.get("l").await.is_ok_and(|got| got.count == 0)).await;
}
