//! Leases on virtual time.

use std::time::Duration;

use crate::member_without_sockets;

#[tokio::test(start_paused = true)]
async fn an_hour_passes_at_once() {
    let (_etcd, client) = member_without_sockets().await;
    let lease = client.lease().grant(Duration::from_secs(3600)).await.expect("a lease");
    client.put("mine", "1").lease(lease.id).await.expect("a put");
    tokio::time::sleep(Duration::from_secs(3599)).await;
    assert_eq!(client.get("mine").await.expect("a get").kvs.len(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(client.get("mine").await.expect("a get").kvs.len(), 0);
}
