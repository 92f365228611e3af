//! One stream of the schedule, and which stream a lease is renewed on.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use etcd_errors::{Code, GrpcCode};

use super::{Action, MOST_OWN, Place, SHARD, Schedule};
use crate::{mechanism::retry::Observation, model::LeaseId};

/// How many places a stream remembers as those not to go to: more than a cluster has members.
const MOST_AVOIDED: usize = 16;

/// A stream, as long as the schedule has it: it is opened again under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(pub(super) u64);

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The member or the connection is the reason.
    Broken,
    /// The lease that was to be answered next is the reason.
    Blamed,
}

/// How a stream ended, by what was seen. A member ends the whole stream for what one renewal failed with.
pub(crate) fn end_of(observation: Observation) -> End {
    let Observation::Refused(code, _) = observation else { return End::Broken };
    match code {
        Code::NoLeader
        | Code::NotSupportedForLearner
        | Code::LeaderChanged
        | Code::Stopped
        | Code::Timeout
        | Code::TimeoutDueToLeaderFail
        | Code::TimeoutDueToConnectionLost
        | Code::TimeoutWaitAppliedIndex
        | Code::TooManyRequests
        | Code::Canceled
        | Code::DeadlineExceeded
        | Code::InvalidAuthToken
        | Code::AuthOldRevision
        | Code::UserEmpty
        | Code::Other(
            GrpcCode::Unavailable
            | GrpcCode::Cancelled
            | GrpcCode::DeadlineExceeded
            | GrpcCode::Unauthenticated
            | GrpcCode::Unimplemented
            | GrpcCode::ResourceExhausted,
        ) => End::Broken,
        _ => End::Blamed,
    }
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Being opened.
    Opening,
    Open,
    /// To be opened again when its time has come.
    Resting,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Whether it is one lease's own.
    pub(super) own: bool,
    pub(super) state: State,
    /// How often it has ended since the last answer.
    pub(super) failures: u32,
    /// Whether it had an answer since it was opened.
    has_answered: bool,
    /// The leases that are renewed on it.
    pub(super) homes: BTreeSet<LeaseId>,
    /// Those that want to be asked for as soon as it is open.
    pub(super) waiting: BTreeSet<LeaseId>,
    /// How many leases asked here for a second time.
    guests: usize,
    /// What the member owes, in the order in which it answers.
    queue: VecDeque<Asked>,
    /// Since when the first of these is being worked on.
    first_since: Duration,
    /// Where it is, or was last.
    place: Option<Place>,
    /// Where not to be, if that can be had.
    avoid: Vec<Place>,
    /// Where its leases were last asked for when it was slow.
    spare: Option<StreamId>,
}

#[derive(Debug)]
struct Asked {
    lease: LeaseId,
    sent: Duration,
    patience: Duration,
}

impl Stream {
    fn new(own: bool, avoid: Vec<Place>) -> Self {
        Self {
            own,
            state: State::Opening,
            failures: 0,
            has_answered: false,
            homes: BTreeSet::new(),
            waiting: BTreeSet::new(),
            guests: 0,
            queue: VecDeque::new(),
            first_since: Duration::ZERO,
            place: None,
            avoid,
            spare: None,
        }
    }

    /// Takes what waits for it to be open.
    pub(super) fn opened(&mut self, place: Place, now: Duration) -> BTreeSet<LeaseId> {
        self.state = State::Open;
        self.place = Some(place);
        self.first_since = now;
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn asked(&mut self, lease: LeaseId, now: Duration, patience: Duration) {
        if self.queue.is_empty() {
            self.first_since = now;
        }
        self.queue.push_back(Asked { lease, sent: now, patience });
    }

    /// When the renewal was asked for that is answered now, `None` where none was.
    pub(super) fn answered(&mut self, lease: LeaseId, now: Duration) -> Option<Duration> {
        let place = self.queue.iter().position(|asked| asked.lease == lease)?;
        let asked = self.queue.remove(place)?;
        self.first_since = now;
        self.failures = 0;
        self.has_answered = true;
        Some(asked.sent)
    }

    /// Takes what was not answered, in the order in which it was asked for.
    pub(super) fn ended(&mut self) -> Vec<LeaseId> {
        self.state = State::Resting;
        self.failures = self.failures.saturating_add(1);
        // Until a member answers, those that were left for their silence stay avoided: a stream that breaks on a second member
        // goes on to a third, and not back.
        if std::mem::take(&mut self.has_answered) {
            self.avoid.clear();
        }
        self.avoid.extend(self.place.filter(|place| !self.avoid.contains(place)));
        let oldest = self.avoid.len().saturating_sub(MOST_AVOIDED);
        self.avoid.drain(..oldest);
        self.queue.drain(..).map(|asked| asked.lease).collect()
    }

    #[cfg(test)]
    pub(super) fn guests(&self) -> usize {
        self.guests
    }

    pub(super) fn unanswered(&self) -> impl Iterator<Item = LeaseId> {
        self.queue.iter().map(|asked| asked.lease)
    }

    /// Whether it is long over with the renewal that is to be answered next.
    fn is_stalled(&self, now: Duration) -> bool {
        self.state == State::Open
            && self.queue.front().is_some_and(|first| now >= self.first_since.saturating_add(first.patience))
    }

    fn endpoint(&self) -> Option<usize> {
        self.place.map(|place| place.endpoint)
    }

    fn has_room(&self) -> bool {
        !self.own && self.homes.len() + self.guests < SHARD && self.queue.len() < SHARD
    }

    /// Whether it is on none of these endpoints, or there was no other when it was opened.
    fn is_as_far_from(&self, places: &[Place]) -> bool {
        self.place.is_none_or(|place| !place.is_near(places))
            || places.iter().all(|place| self.avoid.contains(place))
    }

    fn is_idle(&self) -> bool {
        self.homes.is_empty() && self.guests == 0
    }
}

impl Schedule {
    /// A shared stream with room for another lease, not on one of these endpoints.
    pub(super) fn place(&mut self, avoid: &[Place]) -> StreamId {
        let fits = |stream: &Stream| {
            stream.has_room()
                && stream.failures == 0
                && stream.place.is_none_or(|place| !place.is_near(avoid))
        };
        let found = self.streams.iter().find(|(_, stream)| fits(stream)).map(|(id, _)| *id);
        found.unwrap_or_else(|| self.open(false, avoid.to_vec()))
    }

    /// The stream that leases of a slow one are asked for on: not on one of these endpoints, where there is another.
    pub(super) fn spare_of(&mut self, home: StreamId, avoid: &[Place], now: Duration) -> StreamId {
        let Some(stream) = self.streams.get(&home) else { return self.place(&[]) };
        let usable = |id: StreamId| {
            let stream = self.streams.get(&id);
            stream.is_some_and(|stream| {
                id != home && stream.is_as_far_from(avoid) && stream.has_room() && !stream.is_stalled(now)
            })
        };
        if let Some(spare) = stream.spare.filter(|spare| usable(*spare)) {
            return spare;
        }
        let found = self.streams.iter().find(|(id, other)| other.state == State::Open && usable(**id));
        let spare = match found {
            Some((id, _)) => *id,
            None => self.open(false, avoid.to_vec()),
        };
        if let Some(stream) = self.streams.get_mut(&home) {
            stream.spare = Some(spare);
        }
        spare
    }

    /// An older stream on the same member that has room for the leases of this one, else this one: what was spread in a time of
    /// trouble comes together again.
    pub(super) fn merged(&self, home: StreamId, now: Duration) -> StreamId {
        let Some(stream) = self.streams.get(&home).filter(|stream| stream.state == State::Open) else {
            return home;
        };
        let fits = |older: &Stream| {
            older.state == State::Open
                && older.endpoint() == stream.endpoint()
                && older.has_room()
                && older.homes.len() + stream.homes.len() <= SHARD / 2
                && !older.is_stalled(now)
        };
        let older = self.streams.range(..home).find(|(_, older)| fits(older));
        older.map_or(home, |(id, _)| *id)
    }

    pub(super) fn open(&mut self, own: bool, avoid: Vec<Place>) -> StreamId {
        self.last_stream += 1;
        let id = StreamId(self.last_stream);
        self.streams.insert(id, Stream::new(own, avoid.clone()));
        self.actions.push_back(Action::Open { stream: id, avoid });
        id
    }

    pub(super) fn open_again(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.state == State::Resting {
            stream.state = State::Opening;
            self.actions.push_back(Action::Open { stream: id, avoid: stream.avoid.clone() });
        }
    }

    /// Has a lease be renewed on this stream from now on.
    pub(super) fn settle(&mut self, lease: LeaseId, home: Option<StreamId>, now: Duration) {
        let Some(entry) = self.leases.get_mut(&lease) else { return };
        let before = std::mem::replace(&mut entry.home, home);
        if let Some(stream) = home.and_then(|home| self.streams.get_mut(&home)) {
            stream.homes.insert(lease);
        }
        if let Some(before) = before.filter(|before| Some(*before) != home) {
            if let Some(stream) = self.streams.get_mut(&before) {
                stream.homes.remove(&lease);
                stream.waiting.remove(&lease);
            }
            self.close_if_idle(before, now);
        }
    }

    /// Has the renewal of a lease that is under way be asked for on this stream, too.
    pub(super) fn set_hedge(&mut self, lease: LeaseId, hedge: Option<StreamId>, now: Duration) {
        let Some(round) = self.leases.get_mut(&lease).and_then(|entry| entry.round.as_mut()) else { return };
        let before = std::mem::replace(&mut round.hedge, hedge);
        if let Some(stream) = hedge.and_then(|hedge| self.streams.get_mut(&hedge)) {
            stream.guests += 1;
        }
        if let Some(before) = before {
            if let Some(stream) = self.streams.get_mut(&before) {
                stream.guests -= 1;
            }
            self.close_if_idle(before, now);
        }
    }

    fn close_if_idle(&mut self, id: StreamId, now: Duration) {
        let Some(stream) = self.streams.get(&id).filter(|stream| stream.is_idle()) else { return };
        let stalled = !stream.own && stream.is_stalled(now);
        let unanswered: Vec<LeaseId> = stream.unanswered().collect();
        self.streams.remove(&id);
        for lease in unanswered {
            if let Some(entry) = self.leases.get_mut(&lease) {
                entry.asks.retain(|asked| *asked != id);
            }
        }
        self.actions.push_back(Action::Close { stream: id, stalled });
    }

    pub(super) fn is_stalled(&self, id: StreamId, now: Duration) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.is_stalled(now))
    }

    /// Whether the renewal of this lease is what the stream has to answer next.
    pub(super) fn is_first(&self, lease: LeaseId, id: StreamId) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.unanswered().next() == Some(lease))
    }

    pub(super) fn place_of(&self, id: StreamId) -> Option<Place> {
        self.streams.get(&id)?.place
    }

    pub(super) fn may_set_apart(&self) -> bool {
        self.streams.values().filter(|stream| stream.own).count() < MOST_OWN
    }
}
