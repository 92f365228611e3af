//! When all has come to rest.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::history::{Edge, Recorder, Rev};
use tokio::time::{Instant, sleep, timeout};

use crate::{load::PATIENCE, recipes::PLACES};

/// What is left over has been left over for so long: nothing changes any more.
const QUIET: Duration = Duration::from_secs(1);

/// Waits until nothing changes any more, and writes down that what is there should be held.
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
    let names = PLACES.map(str::to_owned).to_vec();
    recorder.record(Edge::Settled { revision, names });
}

async fn latest(client: &Client) -> Rev {
    Rev(client.get("none").await.expect("the cluster is well").header.revision.get())
}
