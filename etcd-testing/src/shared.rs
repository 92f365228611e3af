//! The member behind its lock, and the wake-ups of the tasks that wait for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::call::Call;
use crate::fault::{Fault, Faults, Rule};
use crate::inspect::Received;
use crate::member::Member;
use crate::method::Method;
use crate::power::Switch;
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
    power: Switch,
}

/// The number of requests that are kept for inspection.
const MAX_REQUESTS: usize = 10_000;

#[derive(Debug)]
struct State {
    member: Member,
    /// The stream tasks that wait for a response, by stream.
    readers: HashMap<StreamId, Arc<Notify>>,
    faults: Faults,
    requests: VecDeque<Received>,
}

impl Shared {
    pub(crate) fn new(member: Member, progress_interval: Duration) -> Self {
        let commits = watch::Sender::new(member.store.revision());
        let state = Mutex::new(State {
            member,
            readers: HashMap::new(),
            faults: Faults::default(),
            requests: VecDeque::new(),
        });
        Self {
            state,
            start: Instant::now(),
            commits,
            leases_changed: Notify::new(),
            progress_interval,
            power: Switch::new(),
        }
    }

    /// Calls `operate` with the member, after the leases that have expired are ended.
    pub(crate) fn with<R>(&self, operate: impl FnOnce(&mut Member) -> R) -> R {
        let mut state = self.lock();
        let now = self.start.elapsed();
        state.member.advance(now);
        let next_expiry = state.member.next_expiry();
        let result = operate(&mut state.member);
        if state.member.next_expiry() != next_expiry {
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
        self.lock().readers.insert(id, Arc::clone(&reader));
        (id, reader)
    }

    pub(crate) fn close_stream(&self, id: StreamId) {
        let mut state = self.lock();
        state.member.watches.close(id);
        state.readers.remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in an operation is a defect of this crate; the other operations still give the better report.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn power(&self) -> &Switch {
        &self.power
    }

    pub(crate) fn add_fault(&self, rule: Rule) {
        self.lock().faults.add(rule);
    }

    pub(crate) fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Returns what happens to a call that begins now.
    pub(crate) fn next_fault(&self, method: Method) -> Option<Fault> {
        self.lock().faults.next(method)
    }

    /// Keeps a request for inspection.
    pub(crate) fn record(&self, call: Call) {
        let at = self.start.elapsed();
        let mut state = self.lock();
        if state.requests.len() == MAX_REQUESTS {
            state.requests.pop_front();
        }
        state.requests.push_back(Received { at, call });
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn clear_requests(&self) {
        self.lock().requests.clear();
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

    /// Ends leases when they expire. Never returns.
    pub(crate) async fn expire_leases(&self) {
        loop {
            match self.with(|member| member.next_expiry()) {
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
