//! Members start, freeze, die and come back with their data.

use std::time::Duration;

use etcd_testkit::Cluster;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_single_member_serves() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    assert_eq!(cluster.etcdctl(["get", "k", "--print-value-only"]).await.unwrap(), "v\n");
    let failed = cluster.etcdctl(["get", "--no-such-flag"]).await.unwrap_err();
    assert!(failed.to_string().contains("no-such-flag"), "{failed}");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn three_members_form_one_cluster() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    assert_eq!(cluster.endpoints().len(), 3);
    cluster.member(0).etcdctl(["put", "k", "v"]).await.unwrap();
    assert_eq!(cluster.member(2).etcdctl(["get", "k", "--print-value-only"]).await.unwrap(), "v\n");
    assert_eq!(cluster.etcdctl(["member", "list"]).await.unwrap().lines().count(), 3);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_member_comes_back_with_its_data() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let member = cluster.member(0);
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    let before = (member.pid(), member.endpoint().to_owned());
    member.kill().unwrap();
    member.wait_exit().await.unwrap();
    assert!(!member.is_running());
    assert!(member.kill().is_err(), "a dead member must not be signalled");
    member.restart().await.unwrap();
    assert_ne!(member.pid(), before.0);
    assert_eq!(member.endpoint(), before.1);
    assert_eq!(cluster.etcdctl(["get", "k", "--print-value-only"]).await.unwrap(), "v\n");
    member.stop().await.unwrap();
    assert!(!member.is_running());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_paused_member_is_silent_until_it_is_resumed() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let member = cluster.member(0);
    member.pause().await.unwrap();
    assert!(member.is_running());
    let get = ["--command-timeout=300ms", "--dial-timeout=300ms", "get", "k"];
    assert!(cluster.etcdctl(get).await.is_err());
    member.resume().unwrap();
    member.wait_healthy(PATIENCE).await.unwrap();
    cluster.etcdctl(["get", "k"]).await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_flag_that_etcd_refuses_fails_the_start_with_the_log() {
    let Some(binaries) = etcd_testkit::require() else { return };
    let builder = Cluster::builder().binaries(binaries).arg("--no-such-flag", "1");
    let error = format!("{:#}", builder.start().await.unwrap_err());
    assert!(error.contains("m0 has ended") && error.contains("no-such-flag"), "{error}");
}

#[tokio::test]
async fn a_unix_socket_is_an_endpoint() {
    let Some(cluster) = Cluster::builder().unix_socket().start_or_skip().await else { return };
    assert!(cluster.member(0).endpoint().starts_with("unix:///"), "{}", cluster.member(0).endpoint());
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_learner_joins_and_follows() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    let learner = cluster.add_member(true).await.unwrap();
    let get = learner.etcdctl(["get", "k", "--print-value-only", "--consistency=s"]).await.unwrap();
    assert_eq!(get, "v\n");
    let refused = learner.etcdctl(["put", "k", "w"]).await.unwrap_err().to_string();
    assert!(refused.contains("rpc not supported for learner"), "{refused}");
    assert_eq!(cluster.endpoints().len(), 2);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_member_leaves_and_another_takes_a_name_of_its_own() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    let first = cluster.endpoints();
    cluster.add_member(false).await.unwrap();
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    let leaving = async {
        while let Err(error) = cluster.remove_member(1).await {
            assert!(format!("{error:?}").contains("unhealthy cluster"), "{error:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, leaving).await.unwrap();
    assert_eq!(cluster.endpoints(), first);
    assert_eq!(cluster.add_member(true).await.unwrap().name(), "m2");
    cluster.stop().await.unwrap();
}
