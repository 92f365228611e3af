//! Acquires connections for calls and streams: the selection, and the wait for one.

use std::{sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use tokio::time::{sleep, timeout};

use crate::{
    transport::{
        balance::{Preference, member_health::Scope, pick::pick},
        connection::{
            capacity::Demand,
            limit::Limit,
            member::Member,
            verified::{Connection, Permit},
        },
        grpc::method::Purpose,
        pool::{
            Pool,
            background::{CROWDED, CROWDED_FOR, MOST_CONNECTIONS},
            closed,
            selection::Selection,
        },
    },
    types::Endpoint,
};

/// The time that a stream waits for a stream connection before it uses a connection for calls.
const STREAM_CONNECTION_WAIT: Duration = Duration::from_secs(1);

impl Pool {
    /// Returns a ready connection with the call counted on it, or `None` if the call has to wait. Takes no lock unless
    /// other calls wait already.
    pub(crate) fn try_acquire(self: &Arc<Self>, selection: &Selection<'_>) -> Option<Permit> {
        // Calls that wait come first: a new call must not take a slot that is about to be handed over.
        if self.capacity(Purpose::Calls).is_contended(self.demand(selection)) {
            return None;
        }
        let ready = self.calls.load();
        loop {
            let connection = &ready[self.pick(&ready, selection)?];
            // Another call may have taken the last slot since the selection.
            let Some(permit) = connection.begin() else { continue };
            self.picked(connection, selection);
            return Some(permit);
        }
    }

    fn picked(self: &Arc<Self>, connection: &Connection, selection: &Selection<'_>) {
        connection.member.picked(selection.scope, selection.now);
        connection.used(selection.now);
        let crowded = connection.load.in_flight() > CROWDED;
        if connection.member.crowded(crowded, selection.now) >= CROWDED_FOR {
            self.grow(&connection.member, Purpose::Calls);
        }
    }

    /// Returns the queue of a call, by the connections that it can use.
    fn demand(&self, selection: &Selection<'_>) -> Demand {
        let id = |endpoint: &Endpoint| {
            let members = self.members.load();
            members.iter().find(|member| member.endpoint == *endpoint).map(|member| member.id)
        };
        let member = if let Preference::Only(endpoint) = selection.preference { id(endpoint) } else { None };
        Demand { member, needs_quorum: selection.scope == Scope::Quorum }
    }

    fn pick(&self, ready: &[Arc<Connection>], selection: &Selection<'_>) -> Option<usize> {
        let choice = selection.choice(self.settings.balance, ready.len(), &self.turn);
        pick(ready.len(), |i| selection.rate(&ready[i]), choice)
    }

    /// Waits for a ready connection. Returns an error only if there will never be one.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe: a slot that was handed over is passed on.
    pub(crate) async fn acquire(self: &Arc<Self>, selection: &Selection<'_>) -> Result<Permit, Error> {
        // Subscribed before the first look, so that no change between the look and the wait is missed.
        let mut changed = self.changed.subscribe();
        if let Some(permit) = self.try_acquire(&selection.at(self.now())) {
            return Ok(permit);
        }
        let capacity = self.capacity(Purpose::Calls);
        let mut waiter = capacity.join(self.demand(selection));
        loop {
            self.check_reachable()?;
            self.check_listed(selection)?;
            let demand = self.demand(selection);
            if waiter.is_spent() || waiter.demand() != demand {
                // The slot was unusable, or the endpoint was removed and added again, with a new member id.
                waiter = capacity.join(demand);
            }
            // Required after `join`; see `Capacity::join`.
            capacity.serve(&self.calls.load());
            if let Some(permit) = waiter.take().and_then(usable) {
                self.picked(&permit.connection, &selection.at(self.now()));
                return Ok(permit);
            }
            self.check_usable(selection)?;
            self.relieve();
            tokio::select! {
                // The slot comes first: a change that arrives at the same time must not delay a call that
                // can proceed.
                biased;
                () = waiter.given() => {}
                result = changed.changed() => result.map_err(|_gone| closed())?,
            }
        }
    }

    /// Acquires a connection for a call that waits for other clients. Such calls have separate connections. They use
    /// those of other calls only if no other can be made, and then at most half of their slots.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn acquire_waiting(
        self: &Arc<Self>,
        selection: &Selection<'_>,
    ) -> Result<Permit, Error> {
        let mut changed = self.changed.subscribe();
        let capacity = self.capacity(Purpose::Waits);
        let mut waiter = capacity.join(self.demand(selection));
        loop {
            self.check_reachable()?;
            self.check_listed(selection)?;
            let demand = self.demand(selection);
            if waiter.is_spent() || waiter.demand() != demand {
                waiter = capacity.join(demand);
            }
            let calls = self.calls.load_full();
            let Some(picked) = self.pick_by_load_of(Purpose::Waits, &calls, &selection.at(self.now())) else {
                self.check_usable(selection)?;
                changed.changed().await.map_err(|_gone| closed())?;
                continue;
            };
            let own = self.connections_of(&calls[picked].member, Purpose::Waits);
            // The picked member first, then any with a free slot.
            capacity.serve(&own);
            if !own.is_empty() {
                capacity.serve(&self.waits.load());
            }
            if let Some(permit) = waiter.take().and_then(usable) {
                permit.connection.used(self.now());
                return Ok(permit);
            }
            if own.iter().all(|connection| connection.load.is_full() || connection.is_retired()) {
                self.grow(&calls[picked].member, Purpose::Waits);
            }
            tokio::select! {
                biased;
                () = waiter.given() => {}
                result = changed.changed() => result.map_err(|_gone| closed())?,
                // No separate connection was made in time. The first half of the slots only: a Lock that occupies the
                // last slot would block the Unlock for which it waits.
                () = sleep(STREAM_CONNECTION_WAIT), if own.is_empty() => {
                    if let Some(permit) = calls[picked].begin_first_half() {
                        return Ok(permit);
                    }
                }
            }
        }
    }

    fn connections_of(&self, member: &Member, purpose: Purpose) -> Vec<Arc<Connection>> {
        let list = self.list(purpose).load();
        list.iter().filter(|connection| connection.member.id == member.id).cloned().collect()
    }

    /// Fails a call for an endpoint that is no longer configured.
    fn check_listed(&self, selection: &Selection<'_>) -> Result<(), Error> {
        match selection.preference {
            Preference::Only(endpoint) if !self.has(endpoint) => {
                let text = format!("endpoint {endpoint} was removed from this client");
                Err(Error::new(ErrorKind::Unavailable, text))
            }
            _ => Ok(()),
        }
    }

    /// Fails a call that no member can serve: all are rejected, or are learners that do not serve such calls.
    fn check_usable(&self, selection: &Selection<'_>) -> Result<(), Error> {
        self.accept_unasked();
        self.rejection(Some(selection)).or_else(|| self.learners_only(selection)).map_or(Ok(()), Err)
    }

    /// Selects a member by its load of streams or blocking calls. The load of other calls fluctuates and says nothing
    /// about those.
    fn pick_by_load_of(
        &self,
        purpose: Purpose,
        ready: &[Arc<Connection>],
        selection: &Selection<'_>,
    ) -> Option<usize> {
        let list = self.list(purpose).load();
        let rate = |i: usize| {
            // All connections of the member count: several of them share its load.
            let of_member = list.iter().filter(|connection| connection.member.id == ready[i].member.id);
            selection.rate_for(&ready[i], of_member.map(|connection| connection.load.in_flight()).sum())
        };
        pick(ready.len(), rate, selection.choice(self.settings.balance, ready.len(), &self.turn))
    }

    /// Waits for a connection for a stream, and makes one if the chosen member has none.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn acquire_stream(self: &Arc<Self>, selection: &Selection<'_>) -> Result<Permit, Error> {
        let mut changed = self.changed.subscribe();
        loop {
            self.check_reachable()?;
            self.check_listed(selection)?;
            let calls = self.calls.load_full();
            let selection = selection.at(self.now());
            let Some(picked) = self.pick_by_load_of(Purpose::Streams, &calls, &selection) else {
                self.check_usable(&selection)?;
                changed.changed().await.map_err(|_gone| closed())?;
                continue;
            };
            let member = &calls[picked].member;
            if let Some(permit) = self.stream_connection(member, &selection) {
                return Ok(permit);
            }
            // The new connection notifies `changed` once it is added.
            self.grow(member, Purpose::Streams);
            match timeout(STREAM_CONNECTION_WAIT, changed.changed()).await {
                Ok(result) => result.map_err(|_gone| closed())?,
                Err(_elapsed) => {
                    if let Some(permit) = calls[picked].begin() {
                        return Ok(permit);
                    }
                }
            }
        }
    }

    fn stream_connection(&self, member: &Member, selection: &Selection<'_>) -> Option<Permit> {
        let streams = self.streams.load();
        let of_member = |connection: &&Arc<Connection>| connection.member.id == member.id;
        // At the maximum number of connections, one without a free slot for paced streams still serves other
        // streams.
        let all = streams.iter().filter(of_member).count() >= MOST_CONNECTIONS;
        let usable =
            streams.iter().filter(of_member).filter(|connection| selection.rate(connection).is_some());
        let usable = usable.filter(|connection| !selection.shunned.contains(&connection.id));
        usable
            .filter(|connection| all || connection.has_stream_permit())
            .min_by_key(|connection| (!connection.has_stream_permit(), connection.load.in_flight()))?
            .begin()
    }

    /// Waits until an endpoint is ready.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let mut changed = self.changed.subscribe();
        loop {
            self.check_reachable()?;
            if self.calls.load().iter().any(|connection| !connection.is_retired()) {
                return Ok(());
            }
            self.accept_unasked();
            if let Some(error) = self.rejection(None) {
                return Err(error.with_attempts(self.last_errors()));
            }
            changed.changed().await.map_err(|_gone| closed())?;
        }
    }

    /// Returns `true` if the member with this id is connected and not ejected.
    pub(crate) fn has_ready_member(&self, server: u64) -> bool {
        let now = self.now();
        self.calls.load().iter().any(|ready| {
            let member = &ready.member;
            member.server() == server
                && !member.is_ejected(Scope::Quorum, false, now)
                && ready.limit() == Limit::None
                && ready.available_load().is_some()
        })
    }

    /// Returns `true` if a connection to a member other than these can be used.
    pub(crate) fn has_ready_besides(&self, members: &[usize]) -> bool {
        self.has_ready_connection(|ready| !members.contains(&ready.member.id))
    }

    /// Returns `true` if a matching connection can be used.
    pub(crate) fn has_ready_connection(&self, wanted: impl Fn(&Connection) -> bool) -> bool {
        self.calls
            .load()
            .iter()
            .any(|ready| wanted(ready) && ready.limit() == Limit::None && ready.available_load().is_some())
    }
}

/// Returns the request whose slot was handed over. If the connection was retired since, the slot is released instead.
fn usable(connection: Arc<Connection>) -> Option<Permit> {
    let permit = Permit::counted(connection);
    (!permit.connection.is_retired()).then_some(permit)
}
