//! Elections on real members.

use etcd_concurrency::{
    Election,
    election::{Leader, Observer},
};
use tokio::time::sleep;

use crate::rig::{client, cluster, count, eventually, in_time, session};

async fn seen(observer: &mut Observer) -> Option<String> {
    let leader = in_time("the next leader", observer.next()).await.expect("more").expect("no error");
    leader.value().map(|value| String::from_utf8_lossy(value).into_owned())
}

#[tokio::test]
async fn observer_reports_successive_leaders() {
    let Some(cluster) = cluster(3).await else { return };
    let client = client(&cluster);
    let mut observer = Observer::new(&client, "office");
    assert_eq!(seen(&mut observer).await, None);
    client.put("office2/0", "a longer key blocks no candidate").await.expect("put");
    let mut candidates = Vec::new();
    for number in 1..=3 {
        let session = session(&client).await;
        let election = Election::new(&session, "office");
        candidates.push(tokio::spawn(async move { election.campaign(format!("candidate {number}")).await }));
        eventually("it queues", async || count(&client, "office/").await == number).await;
    }
    for (number, candidate) in (1..).zip(candidates) {
        let leadership = in_time("its turn", candidate).await.expect("no panic").expect("elected");
        assert_eq!(seen(&mut observer).await, Some(format!("candidate {number}")));
        leadership.proclaim(format!("leader {number}")).await.expect("leads");
        assert_eq!(seen(&mut observer).await, Some(format!("leader {number}")));
        // The first leader resigns, the second dies with its session, the third is dropped.
        match number {
            1 => leadership.resign().await.expect("leads"),
            2 => leadership.session().clone().close().await.expect("closed"),
            _ => drop(leadership),
        }
    }
    assert_eq!(seen(&mut observer).await, None);
}

#[tokio::test]
async fn observer_survives_compactions_and_restarts() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = session(&client).await;
    let election = Election::new(&session, "office");
    let leadership = election.campaign("first").await.expect("free");
    client.put("other", "1").await.expect("put");
    let now = client.put("other", "2").await.expect("put").header.revision;
    client.compact(now).await.expect("compacted");
    let mut observer = election.observe();
    assert_eq!(seen(&mut observer).await.as_deref(), Some("first"));
    cluster.member(0).kill().expect("killed");
    sleep(std::time::Duration::from_millis(300)).await;
    cluster.member(0).restart().await.expect("back");
    leadership.proclaim("second").await.expect("leads");
    assert_eq!(seen(&mut observer).await.as_deref(), Some("second"));
    let leader = election.leader().await.expect("a response").expect("a leader");
    assert_eq!(
        (leader.key.as_ref(), leader.create_revision),
        (leadership.key().as_bytes(), leadership.fence())
    );
    assert_eq!(Leader::Elected(leader).value(), Some(b"second".as_slice()));
    let resumed = election.resume(leadership.key().clone(), leadership.fence());
    // The session's own task has the key: it is resumed after that is released, when there is nothing left to resume.
    leadership.resign().await.expect("leads");
    assert!(in_time("a response", resumed).await.is_err());
}
