//! When to renew which lease, and on which stream: leases share streams, and none waits for another one's trouble.
//!
//! A member answers a stream's renewals one after the other. One that it is slow with keeps the others waiting, and one that it
//! refuses ends the stream for all of them: hence renewals that are also asked for elsewhere, and streams of a lease's own.
//!
//! Times are given since any fixed moment.

mod lease;
mod place;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use self::{
    lease::{Entry, Round},
    stream::{State, Stream},
};
pub(crate) use self::{
    place::Place,
    stream::{End, StreamId, end_of},
};
use super::backoff::Backoff;
use crate::model::LeaseId;

/// How many leases share a stream. A follower forwards each renewal to the leader and answers about six thousand a second on one
/// stream: so many at once are through in a third of a second.
pub(crate) const SHARD: usize = 2_000;

/// How many streams may belong to single leases. Beyond it a lease that makes trouble stays with the others.
const MOST_OWN: usize = 16;

/// How many streams may end without an answer before new ones are opened in less of a hurry: as many as a member may carry.
const MOST_ENDS: u32 = 16;

/// What the schedule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open the stream: on another endpoint than these are on where there is one, on another connection in any case.
    Open { stream: StreamId, avoid: Vec<Place> },
    /// Ask for the renewal of a lease on an open stream.
    Ask { stream: StreamId, lease: LeaseId },
    /// Drop the stream; `stalled` where several leases shared it and a renewal on it stayed unanswered.
    Close { stream: StreamId, stalled: bool },
    /// A lease was renewed.
    Renewed { lease: LeaseId, ttl: Duration, deadline: Duration },
    /// A renewal was not answered in time by these, and is asked for elsewhere.
    Late { lease: LeaseId, on: Vec<Place> },
    /// A lease is not renewed any more.
    Lost { lease: LeaseId, why: Gone },
}

/// Why a lease is not renewed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Its deadline passed.
    Expired,
    /// A member said that there is no such lease.
    NotFound,
}

/// What has to be looked at when a moment comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wake {
    Stream(StreamId),
    Lease(LeaseId),
}

/// The leases of a client and the streams that they are renewed on.
#[derive(Debug)]
pub(crate) struct Schedule {
    leases: HashMap<LeaseId, Entry>,
    streams: BTreeMap<StreamId, Stream>,
    wakes: BTreeSet<(Duration, Wake)>,
    actions: VecDeque<Action>,
    last_stream: u64,
    /// How many streams have ended since the last answer on any.
    ends: u32,
    chance: fastrand::Rng,
}

impl Schedule {
    /// No leases. `seed` decides all that is left to chance.
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

    /// The next thing to do.
    pub(crate) fn action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`tick`](Self::tick) has something to do at the latest.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Whether no lease is renewed.
    pub(crate) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Renews a lease from now on: it lives for `ttl` from `sent` on.
    pub(crate) fn add(&mut self, lease: LeaseId, ttl: Duration, sent: Duration, now: Duration) {
        self.remove(lease, now);
        let mut entry = Entry::new(ttl, sent);
        entry.due = entry.first_due(sent, self.chance.f64()).max(now);
        let wake = entry.due.min(entry.deadline);
        self.leases.insert(lease, entry);
        let home = self.place(&[]);
        self.settle(lease, Some(home), now);
        self.wake_lease(lease, wake);
    }

    /// Renews a lease no more.
    pub(crate) fn remove(&mut self, lease: LeaseId, now: Duration) {
        let Some(entry) = self.leases.get(&lease) else { return };
        let wake = entry.wake;
        self.set_hedge(lease, None, now);
        self.settle(lease, None, now);
        self.wakes.remove(&(wake, Wake::Lease(lease)));
        self.leases.remove(&lease);
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Duration) {
        while let Some((_, wake)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.wakes.pop_first();
            match wake {
                Wake::Lease(lease) => self.look(lease, now),
                Wake::Stream(stream) => self.open_again(stream),
            }
        }
    }

    /// The stream was opened here.
    pub(crate) fn opened(&mut self, id: StreamId, place: Place, now: Duration) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let waiting = stream.opened(place, now);
        for lease in waiting {
            if self.leases.get(&lease).is_some_and(|entry| entry.is_asking(id)) {
                self.ask(lease, id, now);
            }
        }
    }

    /// A renewal was answered: the lease lives for so long from when it was asked for, or there is none.
    pub(crate) fn answered(&mut self, id: StreamId, lease: LeaseId, ttl: Option<Duration>, now: Duration) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        // What nobody asked for says nothing.
        let Some(sent) = stream.answered(lease, now) else { return };
        self.ends = 0;
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        entry.asks.retain(|asked| *asked != id);
        if now >= entry.deadline {
            return self.lose(lease, Gone::Expired, now);
        }
        let Some(ttl) = ttl else { return self.lose(lease, Gone::NotFound, now) };
        entry.renewed(ttl, sent, self.chance.f64());
        let (deadline, wake) = (entry.deadline, entry.due.min(entry.deadline));
        self.actions.push_back(Action::Renewed { lease, ttl, deadline });
        self.end_round(lease, id, sent, now);
        self.wake_lease(lease, wake);
    }

    /// The stream has ended, or could not be opened. Gives the lease that is to blame, where one is.
    pub(crate) fn ended(&mut self, id: StreamId, end: End, now: Duration) -> Option<LeaseId> {
        let stream = self.streams.get_mut(&id)?;
        let (own, unanswered) = (stream.own, stream.ended());
        let culprit = (end == End::Blamed).then(|| unanswered.first().copied()).flatten();
        for lease in &unanswered {
            if let Some(entry) = self.leases.get_mut(lease) {
                entry.asks.retain(|asked| *asked != id);
            }
        }
        match culprit {
            Some(lease) if own => self.refused(lease, id, now),
            Some(lease) => self.set_apart(lease, &[], now),
            None => {}
        }
        self.ends = self.ends.saturating_add(1);
        let (ends, random) = (self.ends.saturating_sub(MOST_ENDS), self.chance.u64(..));
        // The last of those that used it may have been the one to blame.
        let Some(stream) = self.streams.get_mut(&id) else { return culprit };
        for lease in unanswered {
            if self.leases.get(&lease).is_some_and(|entry| entry.is_asking(id)) {
                stream.waiting.insert(lease);
            }
        }
        let wait = match stream.failures.max(ends) {
            0 | 1 => Duration::ZERO,
            failures => Backoff::RESEND.wait(failures - 1, random),
        };
        self.wakes.insert((now.saturating_add(wait), Wake::Stream(id)));
        culprit
    }

    /// The streams that several leases share.
    pub(crate) fn shared(&self) -> impl Iterator<Item = StreamId> {
        self.streams.iter().filter(|(_, stream)| !stream.own).map(|(id, _)| *id)
    }

    /// Has the leases of a shared stream go to another one, which is opened anew: a better member can be had.
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
                Some(round) if now >= round.since + entry.patience() => self.go_elsewhere(lease, now),
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
            Some(home) if !apart && self.is_stalled(home, now) => {
                let avoid: Vec<Place> = self.place_of(home).into_iter().collect();
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

    /// The renewal was not answered in time.
    fn go_elsewhere(&mut self, lease: LeaseId, now: Duration) {
        let Some(entry) = self.leases.get(&lease) else { return };
        let (home, apart) = (entry.home, entry.is_apart());
        let hedge = entry.round.as_ref().and_then(|round| round.hedge);
        let avoid = self.late_on(lease, [home, hedge], now);
        self.actions.push_back(Action::Late { lease, on: avoid.clone() });
        match (home, hedge) {
            _ if apart => self.set_apart(lease, &avoid, now),
            (Some(home), None) if self.is_first(lease, home) && self.may_set_apart() => {
                self.set_apart(lease, &avoid, now);
                self.evacuate(home, now);
            }
            (Some(home), None) => self.hedge(lease, home, &avoid, now),
            (_, Some(hedge)) => {
                // In this order: a stream that nobody uses is closed.
                self.settle(lease, Some(hedge), now);
                self.set_hedge(lease, None, now);
                self.hedge(lease, hedge, &avoid, now);
            }
            (None, None) => {}
        }
    }

    /// Begins to wait anew; gives the places where it was asked for in vain.
    fn late_on(&mut self, lease: LeaseId, streams: [Option<StreamId>; 2], now: Duration) -> Vec<Place> {
        let places: Vec<Place> = streams.into_iter().flatten().filter_map(|id| self.place_of(id)).collect();
        let Some(round) = self.leases.get_mut(&lease).and_then(|entry| entry.round.as_mut()) else {
            return places;
        };
        round.since = now;
        round.late_on(places)
    }

    /// Asks on a second stream, and takes the answer that comes first.
    fn hedge(&mut self, lease: LeaseId, home: StreamId, avoid: &[Place], now: Duration) {
        let spare = self.spare_of(home, avoid, now);
        self.set_hedge(lease, Some(spare), now);
        self.ask(lease, spare, now);
    }

    /// Asks elsewhere for all that waits on a stream whose first renewal is not answered.
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

    /// Gives a lease a stream of its own, where one may be had, and asks there.
    fn set_apart(&mut self, lease: LeaseId, avoid: &[Place], now: Duration) {
        let may = self.may_set_apart();
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        let had_own = entry.is_apart();
        if !had_own && !may {
            // It stays where it is; the stream's own backoff spaces what it does to the others.
            return;
        }
        if !had_own {
            entry.set_apart();
        }
        let asking = entry.round.is_some();
        // The one it had is closed as it leaves.
        let own = self.open(true, avoid.to_vec());
        self.settle(lease, Some(own), now);
        if asking {
            self.ask(lease, own, now);
        }
    }

    /// A stream of a lease's own was ended because of it: it is tried again after a while.
    fn refused(&mut self, lease: LeaseId, id: StreamId, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease).filter(|entry| entry.home == Some(id)) else { return };
        if let Some(round) = &mut entry.round {
            round.since = now;
        }
        let wake = entry.next_look();
        self.settle(lease, None, now);
        self.wake_lease(lease, wake);
    }

    /// The round of a lease ended with an answer on this stream, which it stays with.
    fn end_round(&mut self, lease: LeaseId, id: StreamId, sent: Duration, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        let hedge = entry.round.as_ref().and_then(|round| round.hedge);
        let back = entry.home == Some(id) && entry.answered_apart(now.saturating_sub(sent));
        if hedge == Some(id) {
            self.settle(lease, Some(id), now);
        } else if back {
            let home = self.place(&[]);
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
        if entry.asks.contains(&id) {
            return;
        }
        if stream.state == State::Open {
            stream.asked(lease, now, entry.patience());
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
