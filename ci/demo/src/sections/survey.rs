//! The status of all members of a cluster.

use std::time::Duration;

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, maintenance::StatusResponse};
use etcd_testkit::Cluster;
use tokio::time::{sleep, timeout};

/// An election takes a second or two.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// Waits until all members report the same leader and returns the status of each, in their order.
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

/// Returns the index of the leader.
pub(super) fn leader(statuses: &[StatusResponse]) -> Result<usize> {
    statuses.iter().position(StatusResponse::is_leader).context("no member is the leader")
}
