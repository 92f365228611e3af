//! The schedule of lease renewals: when to renew each lease, and on which stream. Leases share streams, and problems
//! of one do not delay the others.
//!
//! A member answers the renewals of a stream sequentially. A renewal that is slow delays the others on the stream,
//! and one that fails ends the stream for all of them. Therefore late renewals are hedged on a second stream, and a
//! lease that causes problems gets its own.
//!
//! Times are relative to an arbitrary fixed moment.

mod grid;
pub(crate) mod lease;
pub(crate) mod stream;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

pub(crate) use crate::lease::schedule::stream::{End, Route, StreamId};
use crate::{
    lease::schedule::{
        lease::{Entry, Round},
        stream::{State, Stream},
    },
    transport::backoff::Backoff,
    types::LeaseId,
};

/// The number of leases per shared stream. A follower forwards each renewal to the leader and handles about six
/// thousand per second on one stream, so a full stream takes a third of a second.
pub(crate) const SHARD: usize = 2_000;

/// The maximum number of streams with a single lease. Beyond it, a lease that causes problems stays on a shared
/// stream.
const MOST_OWN: usize = 16;

/// The number of streams that may end without an answer before new ones are opened with backoff: as many as a member
/// may carry.
const MOST_ENDS: u32 = 16;

/// An action that the schedule requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open the stream on a new connection, and if possible on another endpoint than these routes.
    Open { stream: StreamId, avoid: Vec<Route> },
    /// Send the renewal of a lease on an open stream.
    Ask { stream: StreamId, lease: LeaseId },
    /// Drop the stream. `stalled` is true if several leases shared it and a renewal was not answered in time.
    Close { stream: StreamId, stalled: bool },
    /// A lease was renewed.
    Renewed { lease: LeaseId, ttl: Duration, deadline: Duration },
    /// A renewal was not answered in time on these routes, and is sent elsewhere.
    Late { lease: LeaseId, on: Vec<Route> },
    /// A lease is no longer renewed.
    Lost { lease: LeaseId, why: Gone },
}

/// The reason why a lease is no longer renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Its deadline passed.
    Expired,
    /// A member responded that the lease does not exist.
    NotFound,
}

/// The subject of a wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    Stream(StreamId),
    Lease(LeaseId),
}

/// The leases of a client, and the streams that renew them.
#[derive(Debug)]
pub(crate) struct Schedule {
    leases: HashMap<LeaseId, Entry>,
    streams: BTreeMap<StreamId, Stream>,
    wakes: BTreeSet<(Duration, Wake)>,
    actions: VecDeque<Action>,
    last_stream: u64,
    /// The number of streams that have ended since the last answer on any of them.
    ends: u32,
    chance: fastrand::Rng,
}

impl Schedule {
    /// Creates an empty schedule. `seed` determines all random choices.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            leases: HashMap::new(),
            streams: BTreeMap::new(),
            wakes: BTreeSet::new(),
            actions: VecDeque::new(),
            last_stream: 0,
            ends: 0,
            chance: fastrand::Rng::with_seed(seed),
        }
    }

    /// Returns the next action.
    pub(crate) fn action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns the latest time for the next [`tick`](Self::tick).
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Returns true if there are no leases.
    pub(crate) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Starts renewing a lease whose TTL counts from `sent`.
    pub(crate) fn add(&mut self, lease: LeaseId, ttl: Duration, sent: Duration, now: Duration) {
        self.remove(lease, now);
        let mut entry = Entry::new(ttl, sent);
        entry.due = entry.first_due(sent, self.chance.f64()).max(now);
        let wake = entry.due.min(entry.deadline);
        self.leases.insert(lease, entry);
        let home = self.assign(&[]);
        self.settle(lease, Some(home), now);
        self.wake_lease(lease, wake);
    }

    /// Stops renewing a lease.
    pub(crate) fn remove(&mut self, lease: LeaseId, now: Duration) {
        let Some(entry) = self.leases.get(&lease) else { return };
        let wake = entry.wake;
        // First, while the lease is still known: a stream that loses its last lease here is closed.
        self.set_hedge(lease, None, now);
        self.settle(lease, None, now);
        self.wakes.remove(&(wake, Wake::Lease(lease)));
        self.leases.remove(&lease);
    }

    /// Processes everything that is due.
    pub(crate) fn tick(&mut self, now: Duration) {
        while let Some((_, wake)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            // Removed before it is handled, because handling it may insert the next wake for the same time.
            self.wakes.pop_first();
            match wake {
                Wake::Lease(lease) => self.look(lease, now),
                Wake::Stream(stream) => self.open_again(stream),
            }
        }
    }

    /// Records that a stream was opened at `route`.
    pub(crate) fn opened(&mut self, id: StreamId, route: Route, now: Duration) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let waiting = stream.opened(route, now);
        for lease in waiting {
            if self.leases.get(&lease).is_some_and(|entry| entry.is_asking(id)) {
                self.ask(lease, id, now);
            }
        }
    }

    /// Records the answer to a renewal: the new TTL, which counts from the request, or `None` if the lease does not
    /// exist.
    pub(crate) fn answered(&mut self, id: StreamId, lease: LeaseId, ttl: Option<Duration>, now: Duration) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        // Answers without a request are ignored.
        let Some(sent) = stream.answered(lease, now) else { return };
        self.ends = 0;
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        entry.asks.retain(|asked| *asked != id);
        // An answer after the deadline cannot revive the lease: its handles have already expired it by their
        // own clock, and another client may hold what it protected.
        if now >= entry.deadline {
            return self.lose(lease, Gone::Expired, now);
        }
        let Some(ttl) = ttl else { return self.lose(lease, Gone::NotFound, now) };
        // The TTL counts from the request and not from the response: the member restarted it at an unknown
        // time in between, and the deadline must not be later than the member's.
        entry.renewed(ttl, sent, now, self.chance.f64());
        let (deadline, wake) = (entry.deadline, entry.due.min(entry.deadline));
        self.actions.push_back(Action::Renewed { lease, ttl, deadline });
        self.end_round(lease, id, sent, now);
        self.wake_lease(lease, wake);
    }

    /// Records that the stream ended or could not be opened. Returns the lease that caused it, if one did.
    pub(crate) fn ended(&mut self, id: StreamId, end: End, now: Duration) -> Option<LeaseId> {
        let stream = self.streams.get_mut(&id)?;
        let (own, unanswered) = (stream.own, stream.ended());
        // A member answers in order, so the first unanswered renewal is the one that failed.
        let culprit = (end == End::Blamed).then(|| unanswered.first().copied()).flatten();
        for lease in &unanswered {
            if let Some(entry) = self.leases.get_mut(lease) {
                entry.asks.retain(|asked| *asked != id);
            }
        }
        match culprit {
            Some(lease) if own => self.rejected(lease, id, now),
            Some(lease) => self.set_apart(lease, &[], now),
            None => {}
        }
        self.ends = self.ends.saturating_add(1);
        let (ends, random) = (self.ends.saturating_sub(MOST_ENDS), self.chance.u64(..));
        // Setting the last lease apart may have closed the stream.
        let Some(stream) = self.streams.get_mut(&id) else { return culprit };
        for lease in unanswered {
            if self.leases.get(&lease).is_some_and(|entry| entry.is_asking(id)) {
                stream.waiting.insert(lease);
            }
        }
        // The first time at once, since a single member has usually restarted. `ends` counts over all streams, so
        // that hundreds of them do not reconnect at full speed to a cluster that is down.
        let wait = match stream.failures.max(ends) {
            0 | 1 => Duration::ZERO,
            failures => Backoff::RETRY.wait(failures - 1, random),
        };
        self.wakes.insert((now.saturating_add(wait), Wake::Stream(id)));
        culprit
    }

    /// Returns the streams that several leases share.
    pub(crate) fn shared(&self) -> impl Iterator<Item = StreamId> {
        self.streams.iter().filter(|(_, stream)| !stream.own).map(|(id, _)| *id)
    }

    /// Moves the leases of a shared stream to a new stream, because a better member is available.
    pub(crate) fn replace(&mut self, id: StreamId, now: Duration) {
        let Some(stream) = self.streams.get(&id).filter(|stream| !stream.homes.is_empty()) else { return };
        let homes: Vec<LeaseId> = stream.homes.iter().copied().collect();
        let new = self.open(false, Vec::new());
        for lease in homes {
            self.settle(lease, Some(new), now);
            if self.leases.get(&lease).is_some_and(|entry| entry.round.is_some()) {
                self.ask(lease, new, now);
            }
        }
    }

    fn look(&mut self, lease: LeaseId, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        if now >= entry.deadline {
            return self.lose(lease, Gone::Expired, now);
        }
        if now >= entry.due {
            match &entry.round {
                None => self.begin_round(lease, now),
                Some(round) if now >= round.since + entry.answer_timeout() => self.go_elsewhere(lease, now),
                Some(_) => {}
            }
        }
        if let Some(entry) = self.leases.get(&lease) {
            let wake = entry.next_look();
            self.wake_lease(lease, wake);
        }
    }

    fn begin_round(&mut self, lease: LeaseId, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        entry.round = Some(Round::begin(now));
        let (home, apart) = (entry.home, entry.is_apart());
        match home {
            // Another renewal on the stream is already late, so waiting for the stream would only cost time.
            Some(home) if !apart && self.is_stalled(home, now) => {
                let avoid: Vec<Route> = self.route_of(home).into_iter().collect();
                let spare = self.spare_of(home, &avoid, now);
                self.settle(lease, Some(spare), now);
                self.ask(lease, spare, now);
            }
            Some(home) => {
                let home = if apart { home } else { self.merged(home, now) };
                self.settle(lease, Some(home), now);
                self.ask(lease, home, now);
            }
            None => self.set_apart(lease, &[], now),
        }
    }

    /// Sends a late renewal elsewhere.
    fn go_elsewhere(&mut self, lease: LeaseId, now: Duration) {
        let Some(entry) = self.leases.get(&lease) else { return };
        let (home, apart) = (entry.home, entry.is_apart());
        let hedge = entry.round.as_ref().and_then(|round| round.hedge);
        let avoid = self.late_on(lease, [home, hedge], now);
        self.actions.push_back(Action::Late { lease, on: avoid.clone() });
        match (home, hedge) {
            // Nothing else waits on its own stream, so the stream is replaced instead of hedged.
            _ if apart => self.set_apart(lease, &avoid, now),
            // The first unanswered lease may be the one that blocks the stream. It gets its own stream, and
            // all leases behind it are hedged.
            (Some(home), None) if self.is_first(lease, home) && self.may_set_apart() => {
                self.set_apart(lease, &avoid, now);
                self.evacuate(home, now);
            }
            (Some(home), None) => self.hedge(lease, home, &avoid, now),
            (_, Some(hedge)) => {
                // In this order: a stream without leases is closed.
                self.settle(lease, Some(hedge), now);
                self.set_hedge(lease, None, now);
                self.hedge(lease, hedge, &avoid, now);
            }
            (None, None) => {}
        }
    }

    /// Restarts the wait for an answer. Returns the routes on which the renewal was late.
    fn late_on(&mut self, lease: LeaseId, streams: [Option<StreamId>; 2], now: Duration) -> Vec<Route> {
        let routes: Vec<Route> = streams.into_iter().flatten().filter_map(|id| self.route_of(id)).collect();
        let Some(round) = self.leases.get_mut(&lease).and_then(|entry| entry.round.as_mut()) else {
            return routes;
        };
        round.since = now;
        round.late_on(routes)
    }

    /// Sends the renewal on a second stream as well. The first answer counts.
    fn hedge(&mut self, lease: LeaseId, home: StreamId, avoid: &[Route], now: Duration) {
        let spare = self.spare_of(home, avoid, now);
        self.set_hedge(lease, Some(spare), now);
        self.ask(lease, spare, now);
    }

    /// Hedges all unanswered renewals of a stream whose first one is late.
    fn evacuate(&mut self, id: StreamId, now: Duration) {
        let Some(stream) = self.streams.get(&id) else { return };
        let waiting: Vec<LeaseId> = stream.unanswered().collect();
        for lease in waiting {
            let Some(entry) = self.leases.get(&lease) else { continue };
            let asked_here_only = entry.round.as_ref().is_some_and(|round| round.hedge.is_none());
            if entry.home == Some(id) && asked_here_only {
                let avoid = self.late_on(lease, [Some(id), None], now);
                self.hedge(lease, id, &avoid, now);
                let wake = self.leases[&lease].next_look();
                self.wake_lease(lease, wake);
            }
        }
    }

    /// Gives a lease its own stream if the limit allows, and sends its renewal there.
    fn set_apart(&mut self, lease: LeaseId, avoid: &[Route], now: Duration) {
        let may = self.may_set_apart();
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        let had_own = entry.is_apart();
        if !had_own && !may {
            // It stays on the shared stream, whose backoff bounds the effect on other leases.
            return;
        }
        if !had_own {
            entry.set_apart();
        }
        let asking = entry.round.is_some();
        // Moving the lease closes the own stream that it had before.
        let own = self.open(true, avoid.to_vec());
        self.settle(lease, Some(own), now);
        if asking {
            self.ask(lease, own, now);
        }
    }

    /// Removes a lease from its own stream, which ended because of it. It gets a new one after a delay.
    fn rejected(&mut self, lease: LeaseId, id: StreamId, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease).filter(|entry| entry.home == Some(id)) else { return };
        if let Some(round) = &mut entry.round {
            round.since = now;
        }
        let wake = entry.next_look();
        self.settle(lease, None, now);
        self.wake_lease(lease, wake);
    }

    /// Completes the renewal of a lease with an answer on this stream, which becomes its home if it was the hedge.
    fn end_round(&mut self, lease: LeaseId, id: StreamId, sent: Duration, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        let hedge = entry.round.as_ref().and_then(|round| round.hedge);
        let back = entry.home == Some(id) && entry.answered_apart(now.saturating_sub(sent));
        // The hedge was faster, so the lease stays there: its previous stream may still be stalled.
        if hedge == Some(id) {
            self.settle(lease, Some(id), now);
        } else if back {
            let home = self.assign(&[]);
            self.settle(lease, Some(home), now);
        }
        self.set_hedge(lease, None, now);
        if let Some(entry) = self.leases.get_mut(&lease) {
            entry.round = None;
        }
    }

    fn ask(&mut self, lease: LeaseId, id: StreamId, now: Duration) {
        let (Some(entry), Some(stream)) = (self.leases.get_mut(&lease), self.streams.get_mut(&id)) else {
            return;
        };
        // Answers carry the lease id only: two requests for one lease on one stream cannot be distinguished, and
        // the TTL would count from the wrong one.
        if entry.asks.contains(&id) {
            return;
        }
        if stream.state == State::Open {
            stream.asked(lease, now, entry.answer_timeout());
            entry.asks.push(id);
            self.actions.push_back(Action::Ask { stream: id, lease });
        } else {
            stream.waiting.insert(lease);
        }
    }

    fn lose(&mut self, lease: LeaseId, why: Gone, now: Duration) {
        self.remove(lease, now);
        self.actions.push_back(Action::Lost { lease, why });
    }

    fn wake_lease(&mut self, lease: LeaseId, at: Duration) {
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        self.wakes.remove(&(entry.wake, Wake::Lease(lease)));
        entry.wake = at;
        self.wakes.insert((at, Wake::Lease(lease)));
    }
}
