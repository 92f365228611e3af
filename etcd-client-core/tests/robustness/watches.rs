//! Watches under faults: whatever happens, each gives what really happened, and gives all of it.

use etcd_testkit::history::Edge;
use fastrand::Rng;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    follow::{self, Followed, Follower},
    rig::{PATIENCE, Rig},
    settings::print,
    specs::Spec,
    visitors::Visitor,
    writers::Writing,
};

/// Watches that come and go, at once.
const VISITORS: u64 = 3;

/// Writes acknowledged before the first fault, and after the last one: fewer would judge nothing.
const ENOUGH: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_under_faults() {
    let Some(rig) = Rig::start("watches").await else { return };
    let (writing, client) = (Writing::new(rig.client(), rig.recorder.clone()), rig.client());
    let (goals, reaching) = watch::channel(None);
    let (mut followers, mut visitors) = (JoinSet::new(), JoinSet::new());
    for spec in Spec::all() {
        let (client, recorder, goals) = (client.clone(), rig.recorder.clone(), reaching.clone());
        followers.spawn(Follower { client, recorder, spec, goals }.follow());
    }
    for visitor in 0..VISITORS {
        let (client, recorder, goals) = (client.clone(), rig.recorder.clone(), reaching.clone());
        let rng = Rng::with_seed(rig.settings.seed ^ (visitor + 100));
        visitors.spawn(Visitor { client, recorder, writing: writing.clone(), goals, rng }.visit());
    }

    let writers = writing.start(rig.settings.seed);
    enough(&writing).await;
    rig.faults().await;
    enough(&writing).await;
    writing.stop(writers).await;
    let last = match writing.finish().await {
        Ok(last) => last,
        Err(error) => rig.fail(&format!("the last writes failed: {}", error.report())),
    };
    goals.send_replace(Some(last.clone()));

    let (visits, followed) = (visitors.join_all().await, followers.join_all().await);
    rig.recorder.record(Edge::Quiesced { revision: last.last() });
    let failed = visits.iter().filter_map(|visit| visit.as_ref().err());
    let failed: Vec<&str> = failed
        .chain(followed.iter().filter_map(|followed| followed.as_ref().err()))
        .map(String::as_str)
        .collect();
    if !failed.is_empty() {
        rig.fail(&failed.join("\n"));
    }
    let followed: Vec<Followed> = followed.into_iter().flatten().collect();
    print(format_args!("{} watches came and went", visits.into_iter().flatten().sum::<usize>()));
    follow::print_all(&followed);
    for followed in followed {
        assert!(followed.responses > 0, "a watch gave nothing");
        followed.end(&rig.recorder);
    }
    let end = writing.mark_end().await.expect("the cluster is well");
    client.close().await;
    rig.judge(end).await;
}

/// Waits until so many more writes are acknowledged.
async fn enough(writing: &Writing) {
    let before = writing.acknowledged();
    let more = async {
        while writing.acknowledged() < before + ENOUGH {
            sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, more).await.expect("writes are acknowledged");
}
