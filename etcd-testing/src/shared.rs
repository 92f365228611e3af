//! The member behind its lock, and the wake-ups of the tasks that wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::member::Member;
use crate::watch::StreamId;

/// The member, its clock, and the tasks that wait for changes.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    start: Instant,
    /// The revision of the store, for tasks that wait for a commit.
    commits: watch::Sender<i64>,
    /// Wakes the task that ends leases.
    leases_changed: Notify,
    progress_interval: Duration,
}

#[derive(Debug)]
struct State {
    member: Member,
    /// The stream tasks that wait for a response, by stream.
    readers: HashMap<StreamId, Arc<Notify>>,
}

impl Shared {
    pub(crate) fn new(member: Member, progress_interval: Duration) -> Self {
        let commits = watch::Sender::new(member.store.revision());
        let state = Mutex::new(State { member, readers: HashMap::new() });
        Self { state, start: Instant::now(), commits, leases_changed: Notify::new(), progress_interval }
    }

    /// Calls `operate` with the member, after the leases that have expired are ended.
    pub(crate) fn with<R>(&self, operate: impl FnOnce(&mut Member) -> R) -> R {
        // A panic in an operation is a defect of this crate; the other operations still give the better report.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed();
        state.member.advance(now);
        let next_expiry = state.member.leases.next_expiry();
        let result = operate(&mut state.member);
        if state.member.leases.next_expiry() != next_expiry {
            self.leases_changed.notify_one();
        }
        for stream in state.member.watches.take_touched() {
            if let Some(reader) = state.readers.get(&stream) {
                reader.notify_one();
            }
        }
        let revision = state.member.store.revision();
        self.commits.send_if_modified(|last| std::mem::replace(last, revision) != revision);
        result
    }

    /// Opens a stream of watches. Its reader is notified when there may be a response.
    pub(crate) fn open_stream(&self) -> (StreamId, Arc<Notify>) {
        let id = self.with(|member| member.watches.open());
        let reader = Arc::new(Notify::new());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.readers.insert(id, Arc::clone(&reader));
        (id, reader)
    }

    pub(crate) fn close_stream(&self, id: StreamId) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.member.watches.close(id);
        state.readers.remove(&id);
    }

    /// Returns the revision of the store, as a channel.
    pub(crate) fn commits(&self) -> watch::Receiver<i64> {
        self.commits.subscribe()
    }

    /// Returns the ticks of periodic progress reports.
    pub(crate) fn progress_ticks(&self) -> Interval {
        let mut ticks = interval_at(Instant::now() + self.progress_interval, self.progress_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    /// Ends leases when they expire, for ever.
    pub(crate) async fn expire_leases(&self) {
        loop {
            match self.with(|member| member.leases.next_expiry()) {
                Some(expiry) => {
                    tokio::select! {
                        () = sleep_until(self.start + expiry.min(FAR)) => {}
                        () = self.leases_changed.notified() => {}
                    }
                }
                None => self.leases_changed.notified().await,
            }
        }
    }
}

/// The longest sleep: an expiry in centuries is beyond what the clock can represent.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
