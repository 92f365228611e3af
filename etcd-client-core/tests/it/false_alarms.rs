//! Members that restart, lag, are upgraded, learn, or come back without data: none of that is a reason to refuse them.

use std::env;

use etcd_client_core::{Client, Get, request::RetryPolicy, transport::EndpointPhase};
use etcd_testkit::{Cluster, Line, Member, require, require_line};

use crate::servers::{PATIENCE, client, eventually, metric};

/// How many connections a test checks.
fn connections(otherwise: usize) -> usize {
    env::var("ETCD_CONNECTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Writes something that the next connection has to show, or a barrier. Each write has a key of its own, because a copy that a paused
/// member holds is applied when it resumes.
async fn write(client: &Client, n: usize) {
    let put =
        client.put(format!("k/{n}"), n.to_string()).retry(RetryPolicy::AssumeIdempotent).timeout(PATIENCE);
    put.await.unwrap_or_else(|error| panic!("{}", error.report()));
}

/// Makes a connection to one member, which has to be used, and reads there what was written last.
async fn connects(client: &Client, member: &Member, n: usize) {
    let only = client.for_endpoint(member.endpoint()).expect("valid");
    let get = Get::new(format!("k/{n}")).bind(only.kv()).timeout(PATIENCE).await;
    let got = get.unwrap_or_else(|error| panic!("connection {n}: {}", error.report()));
    assert_eq!(got.kvs[0].value, n.to_string(), "connection {n}");
    let states = only.endpoint_states().next().await.expect("the present states");
    assert_eq!(states[0].phase, EndpointPhase::Ready, "connection {n}: {states:?}");
    only.close().await;
}

#[tokio::test]
async fn a_member_that_restarts_or_lags_is_not_rejected() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let mut paused = None;
    for n in 0..connections(120) {
        write(&client, n).await;
        match n % 40 {
            // One follower or leader misses what is written from here on.
            5 => {
                cluster.member(n / 40 % 3).pause().await.expect("paused");
                paused = Some(n / 40 % 3);
            }
            25 => {
                let member = paused.take().expect("paused");
                cluster.member(member).resume().expect("resumed");
            }
            30 => cluster.member(n / 40 % 3).restart().await.expect("restarted"),
            _ => {}
        }
        if paused != Some(n % 3) {
            connects(&client, cluster.member(n % 3), n).await;
        }
    }
}

#[tokio::test]
async fn members_that_are_upgraded_one_after_the_other_are_not_rejected() {
    // Once, not once for each line that the tests run with.
    if require().is_none_or(|binaries| binaries.version.line() != Line::NEWEST) {
        return;
    }
    let obtained = tokio::task::spawn_blocking(|| Line::ALL.map(require_line));
    let Some(mut binaries) = obtained.await.expect("no panic").into_iter().collect::<Option<Vec<_>>>() else {
        return;
    };
    // etcd 3.6 panics on the entries that 3.4 wrote for its own use, until a snapshot has taken them out of the log.
    let builder = Cluster::builder().members(3).arg("--snapshot-count", "10").binaries(binaries.remove(0));
    let cluster = builder.start().await.expect("it starts");
    let client = client(cluster.endpoints());
    let (each, mut n) = (connections(180) / (4 * binaries.len()), 0);
    for next in &binaries {
        for member in cluster.members() {
            member.upgrade(next).await.expect("upgraded");
            for _ in 0..each {
                write(&client, n).await;
                connects(&client, cluster.member(n % 3), n).await;
                n += 1;
            }
        }
        let version = next.version.line().to_string();
        for member in cluster.members() {
            eventually("the cluster has the version", async || {
                metric(member, "etcd_cluster_version", &[version.as_str()]).await > 0.0
            })
            .await;
        }
        for _ in 0..each.max(30) {
            write(&client, n).await;
            connects(&client, cluster.member(n % 3), n).await;
            n += 1;
        }
    }
}

#[tokio::test]
async fn a_learner_is_not_rejected() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    write(&client, 0).await;
    cluster.add_member(true).await.expect("a learner joins");
    for n in 1..connections(40) {
        write(&client, n).await;
        if n % 40 == 20 {
            cluster.member(1).restart().await.expect("restarted");
        }
        let only = client.for_endpoint(cluster.member(1).endpoint()).expect("valid");
        let mut states = only.endpoint_states();
        let state = loop {
            let state = states.next().await.expect("it is open").remove(0);
            assert_ne!(state.phase, EndpointPhase::Rejected, "connection {n}: {state:?}");
            if state.phase == EndpointPhase::Ready {
                break state;
            }
        };
        assert!(state.reason.is_some_and(|reason| reason.contains("learner")), "connection {n}");
        only.close().await;
    }
}

#[tokio::test]
async fn a_member_that_joins_again_without_its_data_is_not_rejected() {
    // Else changes are refused while the members have not been connected for 5 s.
    let builder = Cluster::builder().members(3).arg("--strict-reconfig-check", "false");
    let Some(mut cluster) = builder.start_or_skip().await else { return };
    let before = client(cluster.endpoints());
    let each = connections(30) / 3;
    let mut n = 0;
    for _ in 0..3 {
        write(&before, n).await;
        // As an operator replaces a member whose disk is gone.
        cluster.remove_member(0).await.expect("removed");
        before.set_endpoints(cluster.endpoints()).expect("valid");
        // It may have been the leader: there is another one once this is applied.
        write(&before, n).await;
        cluster.add_member(false).await.expect("it joins again");
        before.set_endpoints(cluster.endpoints()).expect("valid");
        eventually("three members are ready", async || {
            let states = before.endpoint_states().next().await.expect("open");
            states.iter().all(|state| state.phase == EndpointPhase::Ready)
        })
        .await;
        for _ in 0..each {
            write(&before, n).await;
            connects(&before, cluster.member(n % 3), n).await;
            n += 1;
        }
    }
}
