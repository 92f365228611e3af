//! A connection for a call or a stream: the pick, and the wait for one.

use std::{sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use tokio::time::timeout;

use super::{
    Pool, closed,
    upkeep::{CROWDED, CROWDED_FOR, MOST_CONNECTIONS},
};
use crate::{
    mechanism::pick::pick,
    transport::{
        connection::{Connection, InFlight, Limit},
        member::{Member, Purpose},
        record::Need,
        wish::{Preference, Wish},
    },
};

/// The wait for a connection for streams until a stream goes where calls go.
const STREAM_PATIENCE: Duration = Duration::from_secs(1);

impl Pool {
    /// A ready connection, counted as used, or `None` when a call has to wait. Takes no lock.
    pub(crate) fn try_acquire(self: &Arc<Self>, wish: &Wish<'_>) -> Option<InFlight> {
        let ready = self.calls.load();
        loop {
            let connection = &ready[self.pick(&ready, wish)?];
            // Another call may have taken the last stream meanwhile.
            let Some(flight) = connection.begin() else { continue };
            connection.member.picked(wish.need, wish.now);
            connection.used(wish.now);
            let crowded = connection.gauge.in_flight() > CROWDED;
            if connection.member.crowded(crowded, wish.now) >= CROWDED_FOR {
                self.grow(&connection.member, Purpose::Calls);
            }
            return Some(flight);
        }
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
        let place = self.room.enter();
        loop {
            self.check_reachable()?;
            self.check_listed(wish)?;
            let word = place.word();
            if let Some(flight) = self.try_acquire(&wish.at(self.now())) {
                return Ok(flight);
            }
            self.check_usable(wish)?;
            self.relieve();
            tokio::select! {
                told = changed.changed() => told.map_err(|_gone| closed())?,
                () = word => {}
            }
        }
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

    /// By the streams that members have: calls come and go, and say nothing of those.
    fn pick_for_stream(&self, ready: &[Arc<Connection>], wish: &Wish<'_>) -> Option<usize> {
        let streams = self.streams.load();
        let rate = |i: usize| {
            let of_member = streams.iter().filter(|connection| connection.member.id == ready[i].member.id);
            wish.rate_for(&ready[i], of_member.map(|connection| connection.gauge.in_flight()).sum())
        };
        pick(ready.len(), rate, wish.choice(self.settings.balance, ready.len(), &self.turn))
    }

    /// Waits for a connection that streams use, and makes one where the chosen member has none.
    ///
    /// Cancel safe.
    pub(crate) async fn acquire_stream(self: &Arc<Self>, wish: &Wish<'_>) -> Result<InFlight, Error> {
        let mut changed = self.changed.subscribe();
        let place = self.room.enter();
        loop {
            self.check_reachable()?;
            self.check_listed(wish)?;
            let word = place.word();
            let calls = self.calls.load_full();
            let wish = wish.at(self.now());
            let Some(picked) = self.pick_for_stream(&calls, &wish) else {
                self.check_usable(&wish)?;
                self.relieve();
                tokio::select! {
                    told = changed.changed() => told.map_err(|_gone| closed())?,
                    () = word => {}
                }
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
