//! Reads and moves the leader.

use anyhow::{Context as _, ensure};
use etcd_proto::etcdserverpb::{MoveLeaderRequest, MoveLeaderResponse, StatusRequest, StatusResponse};

use crate::{Cluster, rpc::Rpc};

/// A member that answered.
struct Answered {
    rpc: Rpc,
    id: u64,
    leader: u64,
}

/// The member that leads.
pub(crate) async fn leader(cluster: &Cluster) -> anyhow::Result<usize> {
    for member in 0..cluster.members().len() {
        let answered = ask(cluster, member).await?;
        if answered.id == answered.leader {
            return Ok(member);
        }
    }
    anyhow::bail!("no member leads")
}

/// Has the leader hand leadership to a member, where that is not the leader.
pub(crate) async fn hand_to(cluster: &Cluster, member: usize) -> anyhow::Result<()> {
    let target = ask(cluster, member).await?.id;
    for other in 0..cluster.members().len() {
        let Ok(answered) = ask(cluster, other).await else { continue };
        if answered.id == answered.leader && answered.id != target {
            let request = MoveLeaderRequest { target_id: target };
            let _: MoveLeaderResponse = answered.rpc.unary("Maintenance/MoveLeader", &request).await?;
            return Ok(());
        }
    }
    Ok(())
}

async fn ask(cluster: &Cluster, member: usize) -> anyhow::Result<Answered> {
    let rpc = Rpc::dial(cluster.member(member).tcp_endpoint()).await?;
    let status: StatusResponse = rpc.unary("Maintenance/Status", &StatusRequest {}).await?;
    let id = status.header.context("a status without a header")?.member_id;
    ensure!(id != 0, "a member without an id");
    Ok(Answered { rpc, id, leader: status.leader })
}
