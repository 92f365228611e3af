//! Every fault happens to a real cluster, and is healed.

use std::time::Duration;

use etcd_proto::etcdserverpb::{StatusRequest, StatusResponse};

use super::*;
use crate::{
    Cluster, Direction, Witnesses,
    history::{Edge, History, Recorder},
    rpc::Rpc,
};

#[tokio::test]
async fn each_fault_happens_and_all_are_healed_however_the_run_ends() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path().join("history.jsonl"), "any", 0).unwrap();
    let (proxied, witnesses) = (cluster.proxied().unwrap(), Witnesses::start(&cluster, &recorder).unwrap());
    let site = Site { cluster: &cluster, proxied: &proxied, witnesses: &witnesses, recorder: &recorder };
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    witnesses.wait_for(crate::history::Rev(2), Duration::from_secs(60)).await.unwrap();

    let brief =
        |at, verb, member| Step::new(Duration::from_millis(at), verb, member, Duration::from_millis(100));
    let pid = cluster.member(0).pid();
    let steps = vec![
        brief(0, Verb::MoveLeader, 1),
        brief(10, Verb::Compact, 1),
        brief(20, Verb::Reset, 1),
        brief(100, Verb::Kill, 0),
        brief(300, Verb::Pause, 1),
        brief(500, Verb::Blackhole(Direction::Both), 2),
        brief(700, Verb::Hold(Direction::ToServer), 0),
        brief(900, Verb::Delay(Direction::ToServer, Duration::from_secs(3600)), 1),
    ];
    site.run(&Plan::of(steps), std::future::pending()).await.unwrap();
    assert_ne!(cluster.member(0).pid(), pid, "it was killed and started again");

    // Faults of these kinds have no end.
    let long = |verb, member| Step::new(Duration::ZERO, verb, member, Duration::from_secs(3600));
    let steps =
        vec![long(Verb::Kill, 0), long(Verb::Pause, 1), long(Verb::Blackhole(Direction::ToClient), 2)];
    site.run(&Plan::of(steps), tokio::time::sleep(Duration::from_millis(500))).await.unwrap();
    assert!(proxied.proxies().iter().all(|proxy| proxy.under_way(Direction::Both) == 0));
    for member in 0..3 {
        let rpc = Rpc::dial(&proxied.proxy(member).endpoint()).await.unwrap();
        rpc.unary::<StatusResponse>("Maintenance/Status", &StatusRequest {}).await.unwrap();
    }

    recorder.finish().unwrap();
    let history = History::read(recorder.path()).unwrap();
    let faults: Vec<&str> = history.lines().filter_map(|(_, record)| fault(&record.edge)).collect();
    assert!(!faults.iter().any(|what| what.starts_with("refused")), "{faults:?}");
    assert_eq!(faults.len(), 3 + 2 * 5 + 3, "{faults:?}");
    cluster.stop().await.unwrap();
}

fn fault(edge: &Edge) -> Option<&str> {
    match edge {
        Edge::Fault { what, .. } => Some(what),
        _ => None,
    }
}
