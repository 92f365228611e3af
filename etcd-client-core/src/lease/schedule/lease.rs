//! One lease of the schedule: the time of its renewals, its stream, and the unanswered requests.

use std::time::Duration;

use crate::lease::schedule::{
    grid,
    stream::{Route, StreamId},
};

/// The maximum time after which an unanswered renewal is late.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The same for a lease with its own stream. It delays no other lease, so it may take longer.
const APART_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of answers after which a lease that had its first problem returns to a shared stream.
const PROBATION: u32 = 3;

/// The maximum number of times that the probation is doubled.
const MOST_DOUBLINGS: u32 = 6;

/// The time after which an answer counts as slow. A full stream on a follower takes a third of a second.
const CROWDED: Duration = Duration::from_millis(100);

/// A lease that is renewed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) ttl: Duration,
    /// The lease is certain to exist until then.
    pub(crate) deadline: Duration,
    /// The time of the next renewal.
    pub(crate) due: Duration,
    /// The renewal in progress.
    pub(crate) round: Option<Round>,
    /// The stream that renews it. `None` while it should have its own and cannot get one.
    pub(crate) home: Option<StreamId>,
    /// The streams that owe it an answer.
    pub(crate) asks: Vec<StreamId>,
    /// The time at which it is looked at next.
    pub(crate) wake: Duration,
    /// The number of answers still needed before it returns to a shared stream. Zero if it uses one.
    probation: u32,
    /// The number of times that it was moved to its own stream.
    moves: u32,
}

/// A renewal in progress.
#[derive(Debug)]
pub(crate) struct Round {
    /// The time of the last request, or the time when it should have been sent.
    pub(crate) since: Duration,
    /// The second stream that the renewal was sent on.
    pub(crate) hedge: Option<StreamId>,
    /// the routes on which the renewal was late.
    pub(crate) tried: Vec<Route>,
}

impl Round {
    pub(crate) fn begin(now: Duration) -> Self {
        Self { since: now, hedge: None, tried: Vec::new() }
    }

    /// Records the routes on which this renewal is late. Returns all of them.
    pub(crate) fn late_on(&mut self, routes: impl IntoIterator<Item = Route>) -> Vec<Route> {
        self.tried.extend(routes);
        self.tried.sort_unstable();
        self.tried.dedup();
        self.tried.clone()
    }
}

impl Entry {
    pub(crate) fn new(ttl: Duration, sent: Duration) -> Self {
        Self {
            ttl,
            deadline: sent.saturating_add(ttl),
            due: sent,
            round: None,
            home: None,
            asks: Vec::new(),
            wake: sent,
            probation: 0,
            moves: 0,
        }
    }

    /// Returns the time of the first renewal. Leases that were granted at the same time are spread over one half of
    /// the interval. `chance` is from 0 to 1.
    pub(crate) fn first_due(&self, sent: Duration, chance: f64) -> Duration {
        grid::round_down(sent.saturating_add((self.ttl / 3).mul_f64(0.5 + chance / 2.0)), self.ttl).max(sent)
    }

    /// Records a renewal that was sent at `sent`, from which the TTL counts, and answered at `now`. The next renewal is due
    /// after a third of the TTL.
    ///
    /// A slow answer shows a crowd, for example the renewals of all leases after an outage. Jitter of up to a fifth then
    /// disperses them. Leases that are dispersed already keep their places, because each earlier renewal costs both sides.
    pub(crate) fn renewed(&mut self, ttl: Duration, sent: Duration, now: Duration, chance: f64) {
        let jitter = if now.saturating_sub(sent) > CROWDED { 0.2 } else { 0.0 };
        self.ttl = ttl;
        // With a hedge, the answer to the older request may arrive last. The later deadline still holds.
        self.deadline = self.deadline.max(sent.saturating_add(ttl));
        self.due = grid::round_down(sent.saturating_add((ttl / 3).mul_f64(1.0 - chance * jitter)), ttl);
    }

    /// Returns the time that a stream may take to answer.
    pub(crate) fn answer_timeout(&self) -> Duration {
        if self.is_apart() { (self.ttl / 3).min(APART_ANSWER_TIMEOUT) } else { self.shared_answer_timeout() }
    }

    fn shared_answer_timeout(&self) -> Duration {
        (self.ttl / 6).min(ANSWER_TIMEOUT)
    }

    /// Returns the time at which the lease has to be looked at again.
    pub(crate) fn next_look(&self) -> Duration {
        let next =
            self.round.as_ref().map_or(self.due, |round| round.since.saturating_add(self.answer_timeout()));
        next.min(self.deadline)
    }

    /// Returns true if an answer on this stream would complete the renewal in progress.
    pub(crate) fn is_asking(&self, stream: StreamId) -> bool {
        let Some(round) = &self.round else { return false };
        self.home == Some(stream) || round.hedge == Some(stream)
    }

    /// Returns true if the lease is renewed on its own stream.
    pub(crate) fn is_apart(&self) -> bool {
        self.probation > 0
    }

    /// Moves the lease to its own stream after it caused a problem. Each time, it needs more good answers to return.
    pub(crate) fn set_apart(&mut self) {
        self.probation = PROBATION << self.moves.min(MOST_DOUBLINGS);
        self.moves = self.moves.saturating_add(1);
    }

    /// Records an answer on the lease's home stream after `took`. Returns true if the lease may return to a shared
    /// stream.
    pub(crate) fn answered_apart(&mut self, took: Duration) -> bool {
        let was_apart = self.is_apart();
        // A lease that takes half of what the others tolerate has not recovered yet.
        if took < self.shared_answer_timeout() / 2 {
            self.probation = self.probation.saturating_sub(1);
        }
        was_apart && !self.is_apart()
    }
}
