//! Clusters, clients and sessions for these tests.

use std::{fmt::Display, time::Duration};

use etcd_client_core::Client;
use etcd_concurrency::Session;
use etcd_testkit::Cluster;
use tokio::time::{sleep, timeout};

/// The time limit of all waits, which only a failing test reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough to outlive a pause of a busy machine.
pub(crate) const TTL: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(20);

pub(crate) async fn cluster(members: usize) -> Option<Cluster> {
    Cluster::builder().members(members).start_or_skip().await
}

pub(crate) fn client(cluster: &Cluster) -> Client {
    Client::builder(cluster.endpoints()).build().expect("the endpoints are valid")
}

pub(crate) async fn session(client: &Client) -> Session {
    Session::builder(client).ttl(TTL).await.expect("a session")
}

/// Returns the result, within the time limit of these tests.
pub(crate) async fn in_time<T>(what: impl Display, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("still waiting for {what}"))
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: impl Display, mut condition: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !condition().await {
            sleep(POLL).await;
        }
    };
    in_time(what, looking).await;
}

/// Returns the number of keys with a prefix.
pub(crate) async fn count(client: &Client, prefix: &str) -> u64 {
    client.get(prefix).prefix().count_only().await.expect("a count").count
}
