//! A member that is asked to end is not held up by streams of ours.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::Cluster;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tonic::Code;

use crate::{
    history::print,
    rig::turn,
    servers::{PATIENCE, metric},
    streams::Streams,
};

/// From SIGTERM to the end of the process.
const EXIT: Duration = Duration::from_secs(1);

/// etcd waits so long for its peers' connections, clients or not: `Close` in `server/embed/etcd.go`.
const PEERS: Duration = Duration::from_secs(1);

/// Streams of each kind: so many that a member has some of each.
const STREAMS: usize = 24;

async fn a_member_ends_within(bound: Duration, members: usize) {
    let _turn = turn().await;
    let Some(cluster) = Cluster::builder().members(members).start_or_skip().await else { return };
    // With its own health streams beside those of the stubs.
    let client = Client::builder(cluster.endpoints()).health_hints().build().expect("built");
    let lease = client.lease().grant(Duration::from_secs(600)).await.expect("granted").id;
    let mut reading = JoinSet::new();
    for _ in 0..STREAMS {
        let open = timeout(PATIENCE, Streams::open(&client, lease.get())).await;
        open.expect("the streams open").read(&mut reading);
    }
    let shares = shares(&cluster).await;
    let busiest = (0..members).max_by_key(|member| shares[*member].iter().sum::<usize>()).expect("a member");
    assert!(shares[busiest].iter().all(|streams| *streams > 0), "none has streams of each kind: {shares:?}");
    let member = cluster.member(busiest);
    let asked = Instant::now();
    member.terminate().expect("terminated");
    member.wait_exit().await.expect("it ends");
    let took = asked.elapsed();
    assert!(took <= bound, "{} ended {took:?} after SIGTERM", member.name());
    print(format_args!("one of {members} with open streams {shares:?}: gone {took:?} after SIGTERM"));
    let ended = async {
        let status = reading.join_next().await.expect("there are streams").expect("no panic");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    };
    timeout(PATIENCE, ended).await.expect("who reads a stream of it hears of its end");
    cluster.stop().await.expect("stopped");
}

/// The streams of each kind on each member.
async fn shares(cluster: &Cluster) -> Vec<Vec<usize>> {
    let mut shares = Vec::new();
    for member in cluster.members() {
        let mut share = Vec::new();
        for service in ["etcdserverpb.Watch", "etcdserverpb.Lease", "grpc.health.v1.Health"] {
            let service = format!("grpc_service=\"{service}\"");
            let begun = metric(member, "grpc_server_started_total", &["_stream\"", &service]).await;
            share.push(begun as usize);
        }
        shares.push(share);
    }
    shares
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_streams_do_not_delay_the_exit_of_the_only_member() {
    a_member_ends_within(EXIT, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_streams_do_not_delay_the_exit_of_one_of_three() {
    a_member_ends_within(EXIT + PEERS, 3).await;
}
