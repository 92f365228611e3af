//! The lock and election services that every member has.

mod elections;
mod hostile;
mod locks;

use std::time::Duration;

use etcd_client_core::{Client, LeaseId};

/// Long enough for a test, and over soon if the test fails.
const TTL: Duration = Duration::from_secs(60);

async fn granted(client: &Client) -> LeaseId {
    client.lease().grant(TTL).await.expect("a lease").id
}

/// Waits until `name` has so many keys below it, the one of who holds it included.
async fn contended(client: &Client, name: &str, contenders: u64) {
    let below = format!("{name}/");
    crate::servers::eventually(format!("{contenders} contend for {name}"), async || {
        client.get(&below).prefix().count_only().await.expect("a count").count == contenders
    })
    .await;
}
