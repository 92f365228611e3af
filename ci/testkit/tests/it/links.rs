//! Links between members are cut and healed while clients stay connected.

use std::time::Duration;

use etcd_testkit::{Cluster, Member};

const PATIENCE: Duration = Duration::from_secs(60);

async fn linearizable_get(member: &Member) -> anyhow::Result<String> {
    member.etcdctl(["--command-timeout=2s", "get", "k", "--print-value-only"]).await
}

#[tokio::test]
async fn cut_links_take_the_quorum_away_and_healed_ones_give_it_back() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    cluster.cut_peer_links();
    for member in cluster.members() {
        assert!(linearizable_get(member).await.is_err(), "{} still has a quorum", member.name());
        let stale = member.etcdctl(["get", "k", "--print-value-only", "--consistency=s"]).await;
        assert_eq!(stale.unwrap(), "v\n", "clients must stay connected");
    }
    cluster.heal_peer_links();
    cluster.wait_healthy(PATIENCE).await.unwrap();
    for member in cluster.members() {
        assert_eq!(linearizable_get(member).await.unwrap(), "v\n");
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn one_isolated_member_leaves_the_others_a_quorum() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    cluster.isolate(0).unwrap();
    assert!(linearizable_get(cluster.member(0)).await.is_err());
    for member in &cluster.members()[1..] {
        member.wait_healthy(PATIENCE).await.unwrap();
        member.etcdctl(["put", "k", "v"]).await.unwrap();
    }
    cluster.heal_peer_links();
    cluster.member(0).wait_healthy(PATIENCE).await.unwrap();
    assert_eq!(linearizable_get(cluster.member(0)).await.unwrap(), "v\n");
    cluster.stop().await.unwrap();
}
