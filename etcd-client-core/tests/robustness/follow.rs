//! A watch that stays for all of a run, and is made anew only where history was compacted.

use std::time::Duration;

use etcd_client_core::{
    Client, Error,
    watch::{WatchResponse, WatchResponseKind, WatchStream},
};
use etcd_testkit::{
    history::{Edge, Recorder, Rev, WatchId},
    run::say,
};
use futures_util::FutureExt as _;
use tokio::{
    sync::watch,
    task::unconstrained,
    time::{Interval, MissedTickBehavior, interval, sleep, timeout},
};

use crate::{edges, goals::Goals, specs::Spec};

/// How long a watch may take to give the last writes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a reader that pauses does so.
const READS: Duration = Duration::from_secs(2);

/// What a watch was like, once it has given all.
#[derive(Debug, Default)]
pub(super) struct Followed {
    pub(super) responses: usize,
    pub(super) resumed: u64,
    pub(super) paused: u64,
    pub(super) resynced: u64,
    pub(super) compacted: usize,
    /// The watch, for as long as it must not have ended.
    open: Option<(WatchId, WatchStream)>,
}

/// One watch and who records it.
pub(super) struct Follower {
    pub(super) client: Client,
    pub(super) recorder: Recorder,
    pub(super) spec: Spec,
    pub(super) goals: watch::Receiver<Option<Goals>>,
}

/// Why reading stopped.
enum Stop {
    Reached,
    Compacted,
}

impl Follower {
    /// Reads until the last writes were given.
    ///
    /// Fails with what no watch may do: end for another reason than a compaction, or not give the last writes in time.
    pub(super) async fn follow(mut self) -> Result<Followed, String> {
        let mut followed = Followed::default();
        loop {
            let watch = self.recorder.watch();
            self.recorder.record(Edge::WatchRequested { watch, request: self.spec.request.clone() });
            match self.spec.create(&self.client).await {
                Err(error) if error.is_timeout() => {
                    let reason = error.report().to_string();
                    say(format_args!("watch {watch} was not created in time: {reason}"));
                    self.recorder.record(Edge::WatchEnded { watch, reason });
                }
                Err(error) => self.ended(watch, &error, &mut followed)?,
                Ok(mut handle) => {
                    if !self.spec.created_notify {
                        self.recorder.record(Edge::WatchCreated { watch, revision: None });
                    }
                    let stop = self.read(watch, &mut handle, &mut followed).await;
                    followed.count(&handle);
                    if let Stop::Reached = stop? {
                        followed.open = Some((watch, handle));
                        return Ok(followed);
                    }
                }
            }
        }
    }

    async fn read(
        &mut self,
        watch: WatchId,
        handle: &mut WatchStream,
        followed: &mut Followed,
    ) -> Result<Stop, String> {
        let mut goals = self.goals.clone();
        let mut asking = ticks(self.spec.asks.unwrap_or(PATIENCE));
        let mut pausing = ticks(READS);
        let mut reached = Rev::default();
        loop {
            let goal = goals.borrow_and_update().as_ref().map(|goals| goals.of(&self.spec.request));
            if goal.is_some_and(|goal| goal <= reached) {
                return Ok(Stop::Reached);
            }
            let left = if goal.is_some() { PATIENCE } else { Duration::MAX };
            tokio::select! {
                response = timeout(left, handle.next()) => match response {
                    Err(_) => return Err(self.stuck(watch, handle, goal, reached)),
                    Ok(Some(Ok(response))) => {
                        followed.responses += 1;
                        self.recorder.record(edges::response(watch, &response));
                        reached = reached.max(until(&response));
                    }
                    Ok(Some(Err(error))) => {
                        self.ended(watch, &error, followed)?;
                        return Ok(Stop::Compacted);
                    }
                    Ok(None) => return Err(format!("watch {watch} ended without an error")),
                },
                _ = asking.tick(), if self.spec.asks.is_some() => {
                    match self.ask(watch, handle, followed).await {
                        Ok(revision) => reached = reached.max(revision),
                        Err(error) => {
                            self.ended(watch, &error, followed)?;
                            return Ok(Stop::Compacted);
                        }
                    }
                }
                _ = pausing.tick(), if self.spec.pauses.is_some() && goal.is_none() => {
                    sleep(self.spec.pauses.unwrap_or_default()).await;
                    // Else the next one would be due at once.
                    pausing.reset();
                }
                _ = goals.changed() => {}
            }
        }
    }

    /// Everything up to the answer is in the handle by then, and comes first; what happened since may come with it.
    async fn ask(
        &self,
        watch: WatchId,
        handle: &mut WatchStream,
        followed: &mut Followed,
    ) -> Result<Rev, Error> {
        // Refused where the member is too old, and late while it is down.
        let Ok(revision) = handle.progress().await.map(edges::revision) else { return Ok(Rev::default()) };
        let mut reached = Rev::default();
        while let Some(Some(response)) = unconstrained(handle.next()).now_or_never() {
            let response = response?;
            self.recorder.record(edges::response(watch, &response));
            followed.responses += 1;
            reached = reached.max(until(&response));
        }
        if reached <= revision {
            self.recorder.record(Edge::WatchProgress { watch, revision });
        }
        Ok(reached.max(revision))
    }

    /// A watch ends for a compaction, where it may not skip history, and for nothing else. The next one takes up behind it.
    fn ended(&mut self, watch: WatchId, error: &Error, followed: &mut Followed) -> Result<(), String> {
        let reason = error.report().to_string();
        self.recorder.record(Edge::WatchEnded { watch, reason: reason.clone() });
        followed.compacted += 1;
        if let Some(compacted) = error.compact_revision().filter(|_| !self.spec.request.resync) {
            self.spec.request.from = Some(Rev(compacted).next());
            return Ok(());
        }
        Err(format!("watch {watch} of {:?} ended: {reason}", self.spec.request))
    }

    fn stuck(&self, watch: WatchId, handle: &WatchStream, goal: Option<Rev>, reached: Rev) -> String {
        let request = &self.spec.request;
        let what = format!("watch {watch} of {request:?} is at {reached} and not at {goal:?}");
        format!("{what}; {:?}; {:?}", handle.status(), handle.counters())
    }
}

impl Followed {
    fn count(&mut self, handle: &WatchStream) {
        let counters = handle.counters();
        self.resumed += counters.resumed;
        self.paused += counters.paused;
        self.resynced += counters.resynced;
    }

    /// Cancels the watch.
    pub(super) fn end(self, recorder: &Recorder) {
        if let Some((watch, handle)) = self.open {
            recorder.record(Edge::WatchEnded { watch, reason: "cancelled".to_owned() });
            drop(handle);
        }
    }
}

/// What a response reaches.
fn until(response: &WatchResponse) -> Rev {
    match response.kind {
        WatchResponseKind::Progress => edges::revision(response.header.revision),
        WatchResponseKind::Resynced(revision) => edges::revision(revision),
        _ => response.events.last().map_or_else(Rev::default, |event| edges::revision(event.revision())),
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// What all of them did.
pub(super) fn print_all(followed: &[Followed]) {
    let sum = |count: fn(&Followed) -> u64| followed.iter().map(count).sum::<u64>();
    say(format_args!(
        "{} watches gave {} responses, resumed {} times, paused {}, resynced {}, ended by compactions {}",
        followed.len(),
        sum(|followed| followed.responses as u64),
        sum(|followed| followed.resumed),
        sum(|followed| followed.paused),
        sum(|followed| followed.resynced),
        sum(|followed| followed.compacted as u64),
    ));
}
