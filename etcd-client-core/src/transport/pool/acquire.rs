//! A connection for a call or a stream: the pick, and the wait for one.

use std::{sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use tokio::time::{sleep, timeout};

use super::{
    Pool, closed,
    upkeep::{CROWDED, CROWDED_FOR, MOST_CONNECTIONS},
};
use crate::{
    mechanism::pick::pick,
    model::Endpoint,
    transport::{
        connection::{Connection, InFlight, Limit},
        member::{Member, Purpose},
        record::Need,
        room::Lane,
        wish::{Preference, Wish},
    },
};

/// The wait for a connection for streams until a stream goes where calls go.
const STREAM_PATIENCE: Duration = Duration::from_secs(1);

impl Pool {
    /// A ready connection, counted as used, or `None` when a call has to wait. Takes no lock unless calls wait already.
    pub(crate) fn try_acquire(self: &Arc<Self>, wish: &Wish<'_>) -> Option<InFlight> {
        if self.room(Purpose::Calls).is_contended(self.lane(wish)) {
            return None;
        }
        let ready = self.calls.load();
        loop {
            let connection = &ready[self.pick(&ready, wish)?];
            // Another call may have taken the last stream meanwhile.
            let Some(flight) = connection.begin() else { continue };
            self.picked(connection, wish);
            return Some(flight);
        }
    }

    fn picked(self: &Arc<Self>, connection: &Connection, wish: &Wish<'_>) {
        connection.member.picked(wish.need, wish.now);
        connection.used(wish.now);
        let crowded = connection.gauge.in_flight() > CROWDED;
        if connection.member.crowded(crowded, wish.now) >= CROWDED_FOR {
            self.grow(&connection.member, Purpose::Calls);
        }
    }

    /// Which connections a call can use.
    fn lane(&self, wish: &Wish<'_>) -> Lane {
        let id = |endpoint: &Endpoint| {
            let members = self.members.load();
            members.iter().find(|member| member.endpoint == *endpoint).map(|member| member.id)
        };
        let member = if let Preference::Only(endpoint) = wish.preference { id(endpoint) } else { None };
        Lane { member, needs_quorum: wish.need == Need::Quorum }
    }

    fn pick(&self, ready: &[Arc<Connection>], wish: &Wish<'_>) -> Option<usize> {
        let choice = wish.choice(self.settings.balance, ready.len(), &self.turn);
        pick(ready.len(), |i| wish.rate(&ready[i]), choice)
    }

    /// Waits for a ready connection. Ends with an error only when there can be none any more.
    ///
    /// Cancel safe.
    pub(crate) async fn acquire(self: &Arc<Self>, wish: &Wish<'_>) -> Result<InFlight, Error> {
        let mut changed = self.changed.subscribe();
        if let Some(flight) = self.try_acquire(&wish.at(self.now())) {
            return Ok(flight);
        }
        let room = self.room(Purpose::Calls);
        let mut place = room.join(self.lane(wish));
        loop {
            self.check_reachable()?;
            self.check_listed(wish)?;
            let lane = self.lane(wish);
            if place.is_spent() || place.lane() != lane {
                // The slot was of no use, or the endpoint was removed and added again, as another member.
                place = room.join(lane);
            }
            room.serve(&self.calls.load());
            if let Some(flight) = place.take().and_then(usable) {
                self.picked(&flight.connection, &wish.at(self.now()));
                return Ok(flight);
            }
            self.check_usable(wish)?;
            self.relieve();
            tokio::select! {
                biased;
                () = place.given() => {}
                told = changed.changed() => told.map_err(|_gone| closed())?,
            }
        }
    }

    /// As [`acquire`](Self::acquire), for a call that waits for other clients. It does not use the connections of calls
    /// unless there can be no other, and then at most half of their slots.
    ///
    /// Cancel safe.
    pub(crate) async fn acquire_waiting(self: &Arc<Self>, wish: &Wish<'_>) -> Result<InFlight, Error> {
        let mut changed = self.changed.subscribe();
        let room = self.room(Purpose::Waits);
        let mut place = room.join(self.lane(wish));
        loop {
            self.check_reachable()?;
            self.check_listed(wish)?;
            let lane = self.lane(wish);
            if place.is_spent() || place.lane() != lane {
                place = room.join(lane);
            }
            let calls = self.calls.load_full();
            let Some(picked) = self.pick_by_load_of(Purpose::Waits, &calls, &wish.at(self.now())) else {
                self.check_usable(wish)?;
                changed.changed().await.map_err(|_gone| closed())?;
                continue;
            };
            let own = self.connections_of(&calls[picked].member, Purpose::Waits);
            // The picked member first, and then whichever has room.
            room.serve(&own);
            if !own.is_empty() {
                room.serve(&self.waits.load());
            }
            if let Some(flight) = place.take().and_then(usable) {
                flight.connection.used(self.now());
                return Ok(flight);
            }
            if own.iter().all(|connection| connection.gauge.is_full() || connection.is_retired()) {
                self.grow(&calls[picked].member, Purpose::Waits);
            }
            tokio::select! {
                biased;
                () = place.given() => {}
                told = changed.changed() => told.map_err(|_gone| closed())?,
                () = sleep(STREAM_PATIENCE), if own.is_empty() => {
                    if let Some(flight) = calls[picked].begin_first_half() {
                        return Ok(flight);
                    }
                }
            }
        }
    }

    fn connections_of(&self, member: &Member, purpose: Purpose) -> Vec<Arc<Connection>> {
        let list = self.list(purpose).load();
        list.iter().filter(|connection| connection.member.id == member.id).cloned().collect()
    }

    /// A call for one endpoint cannot be answered once that has left the pool.
    fn check_listed(&self, wish: &Wish<'_>) -> Result<(), Error> {
        match wish.preference {
            Preference::Only(endpoint) if !self.has(endpoint) => {
                let text = format!("endpoint {endpoint} was removed from this client");
                Err(Error::new(ErrorKind::Unavailable, text))
            }
            _ => Ok(()),
        }
    }

    /// A call cannot be answered while every member is of another cluster or history, or does not take such calls.
    fn check_usable(&self, wish: &Wish<'_>) -> Result<(), Error> {
        self.accept_unasked();
        self.refusal(Some(wish)).or_else(|| self.learners_only(wish)).map_or(Ok(()), Err)
    }

    /// By the streams or waiting calls that members have: calls come and go, and say nothing of those.
    fn pick_by_load_of(&self, purpose: Purpose, ready: &[Arc<Connection>], wish: &Wish<'_>) -> Option<usize> {
        let list = self.list(purpose).load();
        let rate = |i: usize| {
            let of_member = list.iter().filter(|connection| connection.member.id == ready[i].member.id);
            wish.rate_for(&ready[i], of_member.map(|connection| connection.gauge.in_flight()).sum())
        };
        pick(ready.len(), rate, wish.choice(self.settings.balance, ready.len(), &self.turn))
    }

    /// Waits for a connection that streams use, and makes one where the chosen member has none.
    ///
    /// Cancel safe.
    pub(crate) async fn acquire_stream(self: &Arc<Self>, wish: &Wish<'_>) -> Result<InFlight, Error> {
        let mut changed = self.changed.subscribe();
        loop {
            self.check_reachable()?;
            self.check_listed(wish)?;
            let calls = self.calls.load_full();
            let wish = wish.at(self.now());
            let Some(picked) = self.pick_by_load_of(Purpose::Streams, &calls, &wish) else {
                self.check_usable(&wish)?;
                changed.changed().await.map_err(|_gone| closed())?;
                continue;
            };
            let member = &calls[picked].member;
            if let Some(flight) = self.stream_connection(member, &wish) {
                return Ok(flight);
            }
            self.grow(member, Purpose::Streams);
            match timeout(STREAM_PATIENCE, changed.changed()).await {
                Ok(told) => told.map_err(|_gone| closed())?,
                Err(_elapsed) => {
                    if let Some(flight) = calls[picked].begin() {
                        return Ok(flight);
                    }
                }
            }
        }
    }

    fn stream_connection(&self, member: &Member, wish: &Wish<'_>) -> Option<InFlight> {
        let streams = self.streams.load();
        let of_member = |connection: &&Arc<Connection>| connection.member.id == member.id;
        // Once no more may be made, even one without a place for another paced stream serves those that are not paced.
        let all = streams.iter().filter(of_member).count() >= MOST_CONNECTIONS;
        let usable = streams.iter().filter(of_member).filter(|connection| wish.rate(connection).is_some());
        let usable = usable.filter(|connection| !wish.shunned.contains(&connection.id));
        usable
            .filter(|connection| all || connection.has_stream_place())
            .min_by_key(|connection| (!connection.has_stream_place(), connection.gauge.in_flight()))?
            .begin()
    }

    /// Waits until an endpoint is ready.
    ///
    /// Cancel safe.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let mut changed = self.changed.subscribe();
        loop {
            self.check_reachable()?;
            if self.calls.load().iter().any(|connection| !connection.is_retired()) {
                return Ok(());
            }
            self.accept_unasked();
            if let Some(error) = self.refusal(None) {
                return Err(error.with_attempts(self.troubles()));
            }
            changed.changed().await.map_err(|_gone| closed())?;
        }
    }

    /// Whether the member with this id can be called, and is of use.
    pub(crate) fn has_ready_member(&self, server: u64) -> bool {
        let now = self.now();
        self.calls.load().iter().any(|ready| {
            let member = &ready.member;
            member.server() == server
                && !member.is_ejected(Need::Quorum, false, now)
                && ready.limit() == Limit::None
                && ready.load().is_some()
        })
    }

    /// Whether a connection to another member than these can be used.
    pub(crate) fn has_ready_besides(&self, members: &[usize]) -> bool {
        self.has_ready_connection(|ready| !members.contains(&ready.member.id))
    }

    /// Whether one of these connections can be used.
    pub(crate) fn has_ready_connection(&self, wanted: impl Fn(&Connection) -> bool) -> bool {
        self.calls
            .load()
            .iter()
            .any(|ready| wanted(ready) && ready.limit() == Limit::None && ready.load().is_some())
    }
}

/// The request whose slot was handed over, unless the connection was retired meanwhile; the slot is given up then.
fn usable(connection: Arc<Connection>) -> Option<InFlight> {
    let flight = InFlight::counted(connection);
    (!flight.connection.is_retired()).then_some(flight)
}
