//! Detects the end of all activity after a run.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::{
    history::{Edge, Recorder, Rev},
    run::say,
};
use tokio::time::{Instant, sleep, timeout};

use crate::{load::PATIENCE, recipes::PREFIXES};

/// A key that was left behind for this long stays: there is no activity.
const QUIET: Duration = Duration::from_secs(1);

/// Waits until the store does not change, and records that the remaining keys should be held.
pub(crate) async fn settle(client: &Client, recorder: &Recorder) {
    let settling = async {
        let (mut revision, mut since) = (latest(client).await, Instant::now());
        while since.elapsed() < QUIET {
            sleep(Duration::from_millis(100)).await;
            let now = latest(client).await;
            if now != revision {
                (revision, since) = (now, Instant::now());
            }
        }
        revision
    };
    let revision = timeout(PATIENCE, settling).await.expect("all comes to rest");
    let names = PREFIXES.map(str::to_owned).to_vec();
    recorder.record(Edge::Settled { revision, names });
}

/// Returns the store's revision. A cluster that elects a leader at that moment, on a busy machine, responds a little later.
async fn latest(client: &Client) -> Rev {
    loop {
        match client.get("none").await {
            Ok(found) => return Rev(found.header.revision.get()),
            Err(error) => {
                say(format_args!("not at rest: {error}"));
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
