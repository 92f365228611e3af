//! Watches that come and go: from now, from the past, from the future, each for a moment.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testkit::history::{Edge, Recorder, Rev};
use fastrand::Rng;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{edges, goals::Goals, settings::print, specs::Spec, writers::Writing};

/// How long each stays, in milliseconds: some are gone before they got anything.
const STAYS: std::ops::Range<u64> = 1..2_500;

/// How far from the present they begin.
const AROUND: i64 = 200;

/// One after the other, until the last writes are made.
pub(super) struct Visitor {
    pub(super) client: Client,
    pub(super) recorder: Recorder,
    pub(super) writing: Writing,
    pub(super) goals: watch::Receiver<Option<Goals>>,
    pub(super) rng: Rng,
}

impl Visitor {
    /// How many came, or what none of them may do: end for another reason than a compaction.
    pub(super) async fn visit(mut self) -> Result<usize, String> {
        let mut visits = 0;
        while self.goals.borrow().is_none() {
            self.once().await?;
            visits += 1;
        }
        Ok(visits)
    }

    async fn once(&mut self) -> Result<(), String> {
        let around = self.writing.latest() + self.rng.i64(-AROUND..AROUND / 2);
        let spec = Spec::visitor((self.rng.u8(..3) > 0).then_some(Rev(around.max(1))));
        let watch = self.recorder.watch();
        self.recorder.record(Edge::WatchRequested { watch, request: spec.request.clone() });
        let leaves = Instant::now() + Duration::from_millis(self.rng.u64(STAYS));
        // Some leave while they are still being created.
        let ended = match timeout_at(leaves, spec.create(&self.client)).await {
            Err(_) => None,
            Ok(Err(error)) if error.is_timeout() => {
                print(format_args!("watch {watch} was not created in time: {}", error.report()));
                None
            }
            Ok(Err(error)) => Some(error),
            Ok(Ok(mut handle)) => {
                self.recorder.record(Edge::WatchCreated { watch, revision: None });
                let mut ended = None;
                while let Ok(Some(response)) = timeout_at(leaves, handle.next()).await {
                    match response {
                        Ok(response) => drop(self.recorder.record(edges::response(watch, &response))),
                        Err(error) => ended = Some(error),
                    }
                }
                ended
            }
        };
        let reason =
            ended.as_ref().map_or_else(|| "cancelled".to_owned(), |error| error.report().to_string());
        self.recorder.record(Edge::WatchEnded { watch, reason: reason.clone() });
        match ended {
            Some(error) if !error.is_compacted() => {
                Err(format!("watch {watch} of {:?} ended: {reason}", spec.request))
            }
            _ => Ok(()),
        }
    }
}
