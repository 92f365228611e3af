//! Witnesses of real members, one of which dies and one of which misses history.

use super::*;
use crate::history::{Edge, History};

const PATIENCE: Duration = Duration::from_secs(60);

fn revisions(history: &History, of: usize) -> Vec<i64> {
    let seen = history.lines().filter_map(|(_, record)| match &record.edge {
        Edge::Witness { member, events } if *member == of => Some(events),
        _ => None,
    });
    seen.flatten().map(|event| event.revision.0).collect()
}

#[tokio::test]
async fn a_witness_goes_on_after_its_member_was_down_and_tells_what_it_missed() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path().join("history.jsonl"), "any", 0).unwrap();
    let witnesses = Witnesses::start(&cluster, &recorder).unwrap();
    let put = async |value| cluster.member(0).etcdctl(["put", "k", value]).await.unwrap();
    put("1").await;
    put("2").await;
    witnesses.wait_for(Rev(3), PATIENCE).await.unwrap();
    cluster.member(2).kill().unwrap();
    cluster.member(2).wait_exit().await.unwrap();
    // It may have led: etcdctl puts once and gives up after 5 s.
    cluster.member(0).wait_healthy(PATIENCE).await.unwrap();
    put("3").await;
    put("4").await;
    cluster.member(0).etcdctl(["compact", "4"]).await.unwrap();
    cluster.member(2).restart().await.unwrap();
    put("5").await;
    witnesses.wait_for(Rev(6), PATIENCE).await.unwrap();
    assert_eq!(witnesses.latest(), Rev(6));
    recorder.finish().unwrap();
    let history = History::read(recorder.path()).unwrap();
    assert_eq!(revisions(&history, 0), [2, 3, 4, 5, 6]);
    assert_eq!(revisions(&history, 1), [2, 3, 4, 5, 6]);
    let gap = Edge::WitnessGap { member: 2, from: Rev(4), to: Rev(4) };
    let missed = history.lines().any(|(_, record)| record.edge == gap);
    let behind: &[i64] = if missed { &[2, 3, 5, 6] } else { &[2, 3, 4, 5, 6] };
    assert_eq!(revisions(&history, 2), behind);
    cluster.stop().await.unwrap();
}
