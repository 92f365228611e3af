//! Records the actual changes: a watch of all keys on each member, written to the history.
//!
//! Each witness watches one member directly, past the proxies, from the first revision on, and continues where it
//! stopped when the member was down. Events that one of them missed through a compaction were seen by another before.

mod follower;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Context as _;
use tokio::{sync::watch, time::timeout};

use self::follower::Follower;
use crate::{
    Cluster,
    history::{Recorder, Rev},
    relay::Background,
};

/// The witnesses of a cluster, which must have been empty when they started. They end with this.
///
/// They run on a thread of their own, so that a busy runtime of a test does not delay what they see.
#[derive(Debug)]
pub struct Witnesses {
    reached: Vec<watch::Receiver<Rev>>,
    _background: Background,
}

impl Witnesses {
    /// Starts one on each member, which must be served without TLS and without passwords.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(cluster: &Cluster, recorder: &Recorder) -> anyhow::Result<Self> {
        let background = Background::start("etcd-testkit-witness")?;
        let members = cluster.members().iter().enumerate();
        let reached = members.map(|(member, process)| {
            let (follower, reached) = Follower::new(member, process.tcp_endpoint(), recorder.clone());
            background.spawn(follower.run());
            reached
        });
        Ok(Self { reached: reached.collect(), _background: background })
    }

    /// Returns the latest revision that a witness saw. All revisions up to it may be compacted.
    #[must_use]
    pub fn latest(&self) -> Rev {
        self.reached.iter().map(|reached| *reached.borrow()).max().unwrap_or_default()
    }

    /// Waits until each of them saw this revision.
    ///
    /// # Errors
    /// When one did not in time.
    pub async fn wait_for(&self, revision: Rev, patience: Duration) -> anyhow::Result<()> {
        let all = async {
            for reached in &self.reached {
                reached.clone().wait_for(|reached| *reached >= revision).await.context("a witness ended")?;
            }
            Ok(())
        };
        let outcome = timeout(patience, all).await;
        outcome.with_context(|| format!("a witness did not see revision {revision} in {patience:?}"))?
    }
}
