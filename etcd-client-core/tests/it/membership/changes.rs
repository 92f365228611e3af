//! Members of a real cluster that come, go and are replaced under a client that follows them.

use std::time::Duration;

use etcd_client_core::{Client, Error, ErrorKind, kv::PutResponse};
use etcd_testkit::{Cluster, Member};
use tokio::time::{sleep, timeout};

use super::rig::texts;
use crate::servers::{PATIENCE, client, eventually};

const PAUSE: Duration = Duration::from_millis(200);

/// The member's id, in hexadecimal as etcdctl writes it.
async fn id_of(cluster: &Cluster, member: &Member) -> String {
    let list = cluster.etcdctl(["member", "list"]).await.expect("a list");
    let line = list.lines().find(|line| line.contains(member.name())).expect("it is listed");
    line.split(',').next().expect("an id").to_owned()
}

/// Adds a voter. etcd refuses that for some seconds after the last change, until it trusts its members again.
async fn join(cluster: &mut Cluster) -> String {
    let joining = async {
        loop {
            match cluster.add_member(false).await {
                Ok(member) => return member.endpoint().to_owned(),
                Err(error) if format!("{error:?}").contains("unhealthy cluster") => sleep(PAUSE).await,
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    timeout(PATIENCE, joining).await.expect("it joins")
}

async fn leave(cluster: &mut Cluster, index: usize) {
    let leaving = async {
        while let Err(error) = cluster.remove_member(index).await {
            assert!(format!("{error:?}").contains("unhealthy cluster"), "{error:?}");
            sleep(PAUSE).await;
        }
    };
    timeout(PATIENCE, leaving).await.expect("it leaves");
}

/// A proposal on its way to a leader that is removed is lost without an answer.
fn assert_lost_at_most(result: Result<PutResponse, Error>) {
    if let Err(error) = result {
        assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{}", error.report());
    }
}

#[tokio::test]
async fn joined_member_is_used_and_removed_member_is_not() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    let seed = cluster.member(0).endpoint().to_owned();
    let client = client([&seed]);
    assert_eq!(texts(&client.sync().await.expect("synced")), [&*seed]);
    let joined = join(&mut cluster).await;
    assert_eq!(texts(&client.sync().await.expect("synced")), [&*seed, &*joined]);

    leave(&mut cluster, 1).await;
    eventually("it is used no more", async || {
        client.sync().await.is_ok_and(|found| texts(&found) == [&*seed])
    })
    .await;
    for i in 0..20 {
        client.put(format!("k{i}"), "v").await.expect("the seed answers");
    }
}

#[tokio::test]
async fn a_learner_is_used_once_it_votes() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    let seed = cluster.member(0).endpoint().to_owned();
    let client = client([&seed]);
    let learner = cluster.add_member(true).await.expect("it joins").endpoint().to_owned();
    assert_eq!(texts(&client.sync().await.expect("synced")), [&*seed]);

    let id = id_of(&cluster, cluster.member(1)).await;
    let promoting = async || cluster.member(0).etcdctl(["member", "promote", &id]).await.is_ok();
    eventually("it votes", promoting).await;
    let found = client.sync().await.expect("synced");
    assert_eq!(texts(&found), [&*seed, &*learner]);
    client.set_endpoints([&learner]).expect("valid");
    client.put("k", "v").await.expect("it takes writes");
}

#[tokio::test]
async fn every_member_is_replaced_under_a_client_that_follows() {
    let Some(mut cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let seeds = cluster.endpoints();
    let every = Duration::from_millis(200);
    let client = Client::builder(&seeds).auto_sync(every).build().expect("valid");
    client.put("k", "v").await.expect("put");
    for old in 0..3 {
        let joined = join(&mut cluster).await;
        eventually("the new one is used", async || texts(&client.endpoints()).contains(&&*joined)).await;
        leave(&mut cluster, 0).await;
        assert_lost_at_most(client.put("k", format!("v{old}")).await);
        assert_eq!(client.get("k").await.expect("no read fails").count, 1);
    }
    let now = cluster.endpoints();
    assert_eq!(texts(&client.endpoints()), [&seeds[..], &now[..]].concat(), "seeds stay");
    client.put("k", "last").await.expect("nothing of the first cluster is left but its data");
    let fresh = crate::servers::client(&now);
    assert_eq!(fresh.get("k").await.expect("get").kvs[0].value, "last");
}

#[tokio::test]
async fn foreign_cluster_at_a_listed_address_is_not_used() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let Some(stray) = Cluster::builder().start_or_skip().await else { return };
    let seed = cluster.member(0).endpoint().to_owned();
    let client = client([&seed]);
    assert_eq!(texts(&client.sync().await.expect("synced")), [&*seed]);
    // A client of one member is a client of the same cluster.
    let other = client.for_endpoint(stray.member(0).endpoint()).expect("valid");
    let error = other.sync().await.expect_err("another cluster");
    assert_eq!(error.kind(), ErrorKind::WrongCluster, "{}", error.report());
    // A client set to both clusters' members uses only those of the one that it knows.
    client.set_endpoints([stray.member(0).endpoint(), &seed]).expect("valid");
    let both = client.sync().await.expect("synced");
    assert_eq!(texts(&both), [stray.member(0).endpoint(), &*seed], "what was given stays");
    client.set_endpoints([&seed]).expect("valid");
    assert_eq!(texts(&client.endpoints()), [&*seed]);
}
