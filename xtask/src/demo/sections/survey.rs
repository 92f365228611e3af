//! What the members of a cluster say about themselves.

use std::time::Duration;

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, StatusResponse};
use etcd_testkit::Cluster;
use tokio::time::{sleep, timeout};

/// An election takes a second or two.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// The status of each member, in their order, once all of them name the same leader.
pub(super) async fn survey(client: &Client, cluster: &Cluster) -> Result<Vec<StatusResponse>> {
    let agreed = async {
        loop {
            let mut statuses = Vec::new();
            for member in cluster.members() {
                statuses.push(client.maintenance().status(member.endpoint()).await?);
            }
            if statuses.iter().all(|status| status.leader.is_some() && status.leader == statuses[0].leader) {
                return Ok(statuses);
            }
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, agreed).await.context("the members do not agree on a leader")?
}

/// The one that leads, by its place.
pub(super) fn leader(statuses: &[StatusResponse]) -> Result<usize> {
    statuses.iter().position(StatusResponse::is_leader).context("none of the members leads")
}
