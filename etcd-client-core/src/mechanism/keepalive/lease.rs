//! One lease of the schedule: when it is due, where it is renewed, and what it is waiting for.

use std::time::Duration;

use super::{Place, StreamId};

/// A renewal is late after this at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// A lease that has a stream of its own keeps nobody waiting, and may take longer.
const PATIENCE_APART: Duration = Duration::from_secs(5);

/// How many answers bring a lease back to the others, the first time that it made trouble.
const PROBATION: u32 = 3;

/// The longest probation is so many times as long as the first.
const MOST_DOUBLINGS: u32 = 6;

/// A lease that is renewed.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) ttl: Duration,
    /// Until when it lives for certain.
    pub(super) deadline: Duration,
    /// When the next renewal is to be asked for.
    pub(super) due: Duration,
    /// The renewal under way.
    pub(super) round: Option<Round>,
    /// The stream that it is renewed on; `None` while none of its own can be had.
    pub(super) home: Option<StreamId>,
    /// The streams that owe an answer.
    pub(super) asks: Vec<StreamId>,
    /// The moment that it is looked at next.
    pub(super) wake: Duration,
    /// How many more answers it needs until it shares a stream again; zero while it does.
    probation: u32,
    /// How often it was set apart.
    troubles: u32,
}

/// A renewal that is under way.
#[derive(Debug)]
pub(super) struct Round {
    /// Since when the last stream to be asked owes an answer, or ought to have been asked.
    pub(super) since: Duration,
    /// The second stream that was asked.
    pub(super) hedge: Option<StreamId>,
    /// Where it was asked for in vain.
    pub(super) tried: Vec<Place>,
}

impl Round {
    pub(super) fn begin(now: Duration) -> Self {
        Self { since: now, hedge: None, tried: Vec::new() }
    }

    /// Where this renewal is late, these among them.
    pub(super) fn late_on(&mut self, places: impl IntoIterator<Item = Place>) -> Vec<Place> {
        self.tried.extend(places);
        self.tried.sort_unstable();
        self.tried.dedup();
        self.tried.clone()
    }
}

impl Entry {
    pub(super) fn new(ttl: Duration, sent: Duration) -> Self {
        Self {
            ttl,
            deadline: sent.saturating_add(ttl),
            due: sent,
            round: None,
            home: None,
            asks: Vec::new(),
            wake: sent,
            probation: 0,
            troubles: 0,
        }
    }

    /// When it is first renewed: leases that were granted together are spread over half of the time. `chance` is from 0 to 1.
    pub(super) fn first_due(&self, sent: Duration, chance: f64) -> Duration {
        sent.saturating_add((self.ttl / 3).mul_f64(0.5 + chance / 2.0))
    }

    /// It lives for `ttl` from `sent` on; the next renewal is due after a third of that, less up to a fifth for jitter.
    pub(super) fn renewed(&mut self, ttl: Duration, sent: Duration, chance: f64) {
        self.ttl = ttl;
        self.deadline = self.deadline.max(sent.saturating_add(ttl));
        self.due = sent.saturating_add((ttl / 3).mul_f64(1.0 - chance / 5.0));
    }

    /// How long a stream may owe an answer.
    pub(super) fn patience(&self) -> Duration {
        if self.is_apart() { (self.ttl / 3).min(PATIENCE_APART) } else { self.patience_shared() }
    }

    fn patience_shared(&self) -> Duration {
        (self.ttl / 6).min(PATIENCE)
    }

    /// When it has to be looked at again.
    pub(super) fn next_look(&self) -> Duration {
        let next = self.round.as_ref().map_or(self.due, |round| round.since.saturating_add(self.patience()));
        next.min(self.deadline)
    }

    /// Whether an answer of this stream would end the renewal under way.
    pub(super) fn is_asking(&self, stream: StreamId) -> bool {
        let Some(round) = &self.round else { return false };
        self.home == Some(stream) || round.hedge == Some(stream)
    }

    /// Whether it is renewed on a stream of its own.
    pub(super) fn is_apart(&self) -> bool {
        self.probation > 0
    }

    /// It has made trouble, and is renewed by itself until it has been well for a while: longer each time.
    pub(super) fn set_apart(&mut self) {
        self.probation = PROBATION << self.troubles.min(MOST_DOUBLINGS);
        self.troubles = self.troubles.saturating_add(1);
    }

    /// It was answered on its home, after so long; `true` where it may share a stream again.
    pub(super) fn answered_apart(&mut self, took: Duration) -> bool {
        let was_apart = self.is_apart();
        // One that would hold up others half as long as they are patient is not well yet.
        if took < self.patience_shared() / 2 {
            self.probation = self.probation.saturating_sub(1);
        }
        was_apart && !self.is_apart()
    }
}
