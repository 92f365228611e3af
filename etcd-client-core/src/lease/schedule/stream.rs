//! One stream of the schedule, and the choice of a stream for a lease.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use etcd_errors::{Code, GrpcCode};

use crate::{
    lease::schedule::{Action, MOST_OWN, SHARD, Schedule},
    transport::grpc::observation::Observation,
    types::LeaseId,
};

/// The maximum number of routes that a stream avoids; more than a cluster has members.
const MOST_AVOIDED: usize = 16;

/// The id of a stream. It stays the same when the stream is reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(pub(crate) u64);

/// The cause of a stream's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The member or the connection.
    Broken,
    /// The lease whose renewal was to be answered next.
    Blamed,
}

/// Derives the cause of a stream's end from the observation. A member ends the whole stream with the error of a
/// single renewal.
pub(crate) fn end_of(observation: Observation) -> End {
    let Observation::Rejected(code, _) = observation else { return End::Broken };
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
        // Blamed for every other code: a shared stream that one lease ends again and again delays all the others,
        // while a separate stream for an innocent lease costs one stream.
        _ => End::Blamed,
    }
}

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Being opened.
    Opening,
    Open,
    /// Waiting to be reopened.
    Resting,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    /// True if it serves a single lease.
    pub(crate) own: bool,
    pub(crate) state: State,
    /// The number of times that it ended since the last answer.
    pub(crate) failures: u32,
    /// True if it had an answer since it was opened.
    has_answered: bool,
    /// The leases that are renewed on it.
    pub(crate) homes: BTreeSet<LeaseId>,
    /// The leases whose renewals are to be sent once it is open.
    pub(crate) waiting: BTreeSet<LeaseId>,
    /// The number of leases that hedge on it.
    guests: usize,
    /// The unanswered requests, in the order of their answers.
    queue: VecDeque<Asked>,
    /// The time since which the first of them is being processed.
    first_since: Duration,
    /// Its current or last route.
    route: Option<Route>,
    /// The routes to avoid if possible.
    avoid: Vec<Route>,
    /// The stream that last hedged its renewals.
    spare: Option<StreamId>,
}

#[derive(Debug)]
struct Asked {
    lease: LeaseId,
    sent: Duration,
    timeout: Duration,
}

impl Stream {
    fn new(own: bool, avoid: Vec<Route>) -> Self {
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
            route: None,
            avoid,
            spare: None,
        }
    }

    /// Marks the stream as open. Takes the leases that wait for that.
    pub(crate) fn opened(&mut self, route: Route, now: Duration) -> BTreeSet<LeaseId> {
        self.state = State::Open;
        self.route = Some(route);
        self.first_since = now;
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn asked(&mut self, lease: LeaseId, now: Duration, timeout: Duration) {
        // A member handles the renewals of a stream one after the other (`LeaseServer.leaseKeepAlive` in etcd's
        // `server/etcdserver/api/v3rpc/lease.go`). A request is late only by the time for which it is the first.
        if self.queue.is_empty() {
            self.first_since = now;
        }
        self.queue.push_back(Asked { lease, sent: now, timeout });
    }

    /// Removes the request that this answer belongs to. Returns the time when it was sent, or `None` if there is
    /// none.
    pub(crate) fn answered(&mut self, lease: LeaseId, now: Duration) -> Option<Duration> {
        // Searched, because etcd's gRPC proxy serves each lease in its own goroutine and answers in any order
        // (`leaseProxyStream.recvLoop` in `server/proxy/grpcproxy/lease.go`).
        let index = self.queue.iter().position(|asked| asked.lease == lease)?;
        let asked = self.queue.remove(index)?;
        self.first_since = now;
        self.failures = 0;
        self.has_answered = true;
        Some(asked.sent)
    }

    /// Takes the unanswered leases, in the order of their requests.
    pub(crate) fn ended(&mut self) -> Vec<LeaseId> {
        self.state = State::Resting;
        self.failures = self.failures.saturating_add(1);
        // Until a member answers, the members that were abandoned as unresponsive stay avoided. A stream that
        // breaks on a second member then moves to a third, and not back to the first.
        if std::mem::take(&mut self.has_answered) {
            self.avoid.clear();
        }
        self.avoid.extend(self.route.filter(|route| !self.avoid.contains(route)));
        let oldest = self.avoid.len().saturating_sub(MOST_AVOIDED);
        self.avoid.drain(..oldest);
        self.queue.drain(..).map(|asked| asked.lease).collect()
    }

    #[cfg(test)]
    pub(crate) fn guests(&self) -> usize {
        self.guests
    }

    pub(crate) fn unanswered(&self) -> impl Iterator<Item = LeaseId> {
        self.queue.iter().map(|asked| asked.lease)
    }

    /// Returns true if the renewal that is to be answered next is late.
    fn is_stalled(&self, now: Duration) -> bool {
        self.state == State::Open
            && self.queue.front().is_some_and(|first| now >= self.first_since.saturating_add(first.timeout))
    }

    fn endpoint(&self) -> Option<usize> {
        self.route.map(|route| route.endpoint)
    }

    fn has_capacity(&self) -> bool {
        // The queue counts too: a lease that moves away leaves its unanswered request behind.
        !self.own && self.homes.len() + self.guests < SHARD && self.queue.len() < SHARD
    }

    /// Returns true if its endpoint is not one of these, or if all of these were already avoided when it was opened.
    fn is_as_far_from(&self, routes: &[Route]) -> bool {
        self.route.is_none_or(|route| !route.is_near(routes))
            || routes.iter().all(|route| self.avoid.contains(route))
    }

    fn is_idle(&self) -> bool {
        self.homes.is_empty() && self.guests == 0
    }
}

impl Schedule {
    /// Returns a shared stream that has capacity and is not on one of these endpoints. Opens one if necessary.
    pub(crate) fn assign(&mut self, avoid: &[Route]) -> StreamId {
        let fits = |stream: &Stream| {
            stream.has_capacity()
                && stream.failures == 0
                && stream.route.is_none_or(|route| !route.is_near(avoid))
        };
        let found = self.streams.iter().find(|(_, stream)| fits(stream)).map(|(id, _)| *id);
        found.unwrap_or_else(|| self.open(false, avoid.to_vec()))
    }

    /// Returns the stream for hedging the leases of a slow one. It is not on one of these endpoints if there is
    /// another.
    pub(crate) fn spare_of(&mut self, home: StreamId, avoid: &[Route], now: Duration) -> StreamId {
        let Some(stream) = self.streams.get(&home) else { return self.assign(&[]) };
        let usable = |id: StreamId| {
            let stream = self.streams.get(&id);
            stream.is_some_and(|stream| {
                id != home && stream.is_as_far_from(avoid) && stream.has_capacity() && !stream.is_stalled(now)
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

    /// Returns an older stream on the same member with capacity for all leases of this one, or this one if there is
    /// none. This merges streams again that were split during an incident.
    pub(crate) fn merged(&self, home: StreamId, now: Duration) -> StreamId {
        let Some(stream) = self.streams.get(&home).filter(|stream| stream.state == State::Open) else {
            return home;
        };
        let fits = |older: &Stream| {
            older.state == State::Open
                && older.endpoint() == stream.endpoint()
                && older.has_capacity()
                // Half, so that a merged stream has capacity for new leases instead of splitting again.
                && older.homes.len() + stream.homes.len() <= SHARD / 2
                && !older.is_stalled(now)
        };
        // Only older ones, so that two streams never move their leases to each other.
        let older = self.streams.range(..home).find(|(_, older)| fits(older));
        older.map_or(home, |(id, _)| *id)
    }

    pub(crate) fn open(&mut self, own: bool, avoid: Vec<Route>) -> StreamId {
        self.last_stream += 1;
        let id = StreamId(self.last_stream);
        self.streams.insert(id, Stream::new(own, avoid.clone()));
        self.actions.push_back(Action::Open { stream: id, avoid });
        id
    }

    pub(crate) fn open_again(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.state == State::Resting {
            stream.state = State::Opening;
            self.actions.push_back(Action::Open { stream: id, avoid: stream.avoid.clone() });
        }
    }

    /// Makes this stream the home of a lease.
    pub(crate) fn settle(&mut self, lease: LeaseId, home: Option<StreamId>, now: Duration) {
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

    /// Makes this stream the hedge of the lease's renewal in progress.
    pub(crate) fn set_hedge(&mut self, lease: LeaseId, hedge: Option<StreamId>, now: Duration) {
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
        // A lease with its own stream may be the cause itself, so its stream says nothing about the member.
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

    pub(crate) fn is_stalled(&self, id: StreamId, now: Duration) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.is_stalled(now))
    }

    /// Returns true if the renewal of this lease is to be answered next on the stream.
    pub(crate) fn is_first(&self, lease: LeaseId, id: StreamId) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.unanswered().next() == Some(lease))
    }

    pub(crate) fn route_of(&self, id: StreamId) -> Option<Route> {
        self.streams.get(&id)?.route
    }

    pub(crate) fn may_set_apart(&self) -> bool {
        self.streams.values().filter(|stream| stream.own).count() < MOST_OWN
    }
}

/// A connection of an endpoint. One endpoint may lead to several members (a gateway, a load balancer, a host name
/// that moved), so another connection to it can help if there is no other endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    /// The index of the endpoint in the pool.
    pub(crate) endpoint: usize,
    /// The id of the connection, which is never reused.
    pub(crate) connection: usize,
}

impl Route {
    /// Returns true if one of the routes has the same endpoint.
    pub(crate) fn is_near(self, routes: &[Self]) -> bool {
        routes.iter().any(|route| route.endpoint == self.endpoint)
    }
}
