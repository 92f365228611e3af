//! The pool's side of supervisors: their parameters, their reports, and their number.

use std::sync::{Arc, atomic::Ordering};

use arc_swap::ArcSwap;
use http::HeaderMap;
use tokio::task::JoinHandle;

use crate::transport::{
    connection::{
        capacity::Capacity, handshake::Dial, histories::Histories, history::History, identity::Rejection,
        liveness::Keepalive, member::Member, verified::Connection,
    },
    endpoint::{Cause, EndpointPhase, outage::Step},
    grpc::method::Purpose,
    observe::trace,
    pool::{KeepaliveSettings, Pool, notices::Notice, supervisor::Supervisor},
};

/// The number of calls in flight from which an additional connection is made, because h2 has one lock per connection.
pub(crate) const CROWDED: usize = 64;

/// The time for which a connection must be crowded before that happens, in milliseconds.
pub(crate) const CROWDED_FOR: u64 = 50;

/// The maximum number of connections per endpoint and purpose.
pub(crate) const MOST_CONNECTIONS: usize = 4;

impl Pool {
    pub(crate) fn listens_to_health(&self) -> bool {
        self.settings.health
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn keepalive(&self, purpose: Purpose) -> Keepalive {
        let KeepaliveSettings { interval, timeout } = self.settings.keepalive;
        match purpose {
            Purpose::Calls => Keepalive::for_calls(timeout),
            Purpose::Waits => Keepalive::for_waits(timeout),
            Purpose::Streams => Keepalive::for_streams(interval, timeout),
        }
    }

    pub(crate) fn dial<'a>(
        &'a self,
        member: &'a Arc<Member>,
        purpose: Purpose,
        keepalive: Keepalive,
    ) -> Dial<'a> {
        Dial {
            member,
            purpose,
            keepalive,
            connector: &self.settings.connector,
            origins: &self.settings.origins,
            observer: &self.settings.observer,
            histories: &self.settings.histories,
            headers: &self.headers,
            tasks: &self.tasks,
            shutdown: &self.shutdown,
            runtime_ended: &self.runtime_ended,
            capacity: self.capacity(purpose),
            changed: &self.changed,
            epoch: self.epoch,
        }
    }

    /// Spawns a task that ends with the pool.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn_on(task, &self.runtime)
    }

    pub(crate) fn add(&self, connection: &Arc<Connection>) {
        // The member may have been removed while the connection was being made. If that races with this
        // check, the supervisor withdraws the connection when its task is dropped.
        if self.shutdown.is_cancelled() || connection.member.removed.is_cancelled() {
            return;
        }
        // A verified connection disproves an earlier rejection of the member.
        connection.member.set_rejection(None);
        self.list(connection.purpose).rcu(|ready| {
            let mut ready = Vec::clone(ready);
            ready.push(Arc::clone(connection));
            ready
        });
        self.notify();
    }

    pub(crate) fn remove(&self, connection: &Arc<Connection>) {
        self.list(connection.purpose).rcu(|ready| {
            let mut ready = Vec::clone(ready);
            ready.retain(|other| !Arc::ptr_eq(other, connection));
            ready
        });
    }

    pub(crate) fn phase(&self, member: &Member, phase: EndpointPhase, reason: Option<Arc<str>>) {
        let step = match phase {
            EndpointPhase::Connecting => Step::Connecting,
            EndpointPhase::Ready => Step::Ready,
            EndpointPhase::Suspect => Step::Suspect,
            EndpointPhase::Down => Step::Ended,
            EndpointPhase::Rejected => Step::Rejected,
        };
        self.change(member, phase, step, reason, None);
    }

    /// Records that a connection could not be established.
    pub(crate) fn failed(&self, member: &Member, reason: Arc<str>, cause: Cause) {
        self.change(member, EndpointPhase::Down, Step::Failed, Some(reason), Some(cause));
    }

    fn change(
        &self,
        member: &Member,
        phase: EndpointPhase,
        step: Step,
        reason: Option<Arc<str>>,
        cause: Option<Cause>,
    ) {
        let (why, now) = (reason.clone(), self.now());
        let changed = self.states.send_if_modified(|table| {
            let note = table.note(member.id, step, now);
            let changed = table.set(member.id, phase, reason, cause);
            if changed {
                let endpoint = member.endpoint.clone();
                self.notices.push(Notice::Phase { endpoint, phase, reason: why, note });
            }
            changed
        });
        if changed {
            self.notices.send(self.observer());
        }
    }

    pub(crate) fn histories(&self) -> &Arc<Histories> {
        &self.settings.histories
    }

    /// Retires every connection to a member, and so makes its identity be checked again. Called after a response that
    /// came from another cluster or history.
    pub(crate) fn retire(&self, member: &Member) {
        for list in [&self.calls, &self.streams, &self.waits] {
            let connections = list.load();
            connections
                .iter()
                .filter(|connection| connection.member.id == member.id)
                .for_each(|connection| connection.retire());
        }
    }

    /// Records why a member that belongs to another cluster or history is not used. Accepts that history if the client
    /// is configured to, and if no member serves the known one.
    pub(crate) fn reject(&self, member: &Member, rejection: &Rejection, history: &Arc<History>) {
        // Another history was accepted during the check, so the member is checked again.
        if rejection.history != history.number() {
            return;
        }
        member.set_rejection(Some(rejection.clone()));
        self.phase(member, EndpointPhase::Rejected, Some(rejection.to_string().into()));
        // While any member serves the known history, a foreign one is more likely a wrong endpoint than a
        // replacement.
        let served = self.calls.load().iter().any(|connection| connection.available_load().is_some());
        if self.settings.accepts_replacement && rejection.is_acceptable() && !served {
            self.accept(history, rejection.cluster);
        }
        self.notify();
    }

    /// Starts a new history, of this cluster.
    pub(crate) fn accept(&self, old: &Arc<History>, cluster: u64) {
        trace::accepted(old.cluster(), old.min_revision(), cluster);
        // The history changes first: connections that are retired below are made again against the new one.
        self.settings.histories.accept(old, cluster);
        // Immediately, because responses that are still in flight must not reach calls of the new history.
        for list in [&self.calls, &self.streams, &self.waits] {
            list.load().iter().for_each(|connection| connection.retire());
        }
        self.members.load().iter().for_each(|member| member.set_rejection(None));
        self.notify();
    }

    /// Makes waiting calls look again.
    pub(crate) fn notify(&self) {
        self.changed.send_replace(());
    }

    /// Returns `true` if the member's calls would be crowded on fewer connections.
    pub(crate) fn needs_all_connections(&self, member: &Member) -> bool {
        let calls = self.calls.load();
        let of_member = calls.iter().filter(|connection| connection.member.id == member.id);
        let (count, in_flight) =
            of_member.fold((0, 0), |(n, sum), connection| (n + 1, sum + connection.load.in_flight()));
        // Half of the threshold for growing, so that a load around it does not open and close connections in
        // turns.
        count > 0 && in_flight * 2 > CROWDED * (count - 1)
    }

    pub(crate) fn runtime_ended(&self) {
        self.runtime_ended.cancel();
        // The drivers have ended. Calls would pick these connections again and again.
        self.forget(|_| false);
        self.notify();
    }

    pub(crate) fn list(&self, purpose: Purpose) -> &ArcSwap<Vec<Arc<Connection>>> {
        match purpose {
            Purpose::Calls => &self.calls,
            Purpose::Streams => &self.streams,
            Purpose::Waits => &self.waits,
        }
    }

    pub(crate) fn capacity(&self, purpose: Purpose) -> &Arc<Capacity<Arc<Connection>>> {
        &self.capacities[purpose as usize]
    }

    pub(crate) fn forget(&self, kept: impl Fn(&Connection) -> bool) {
        for list in [&self.calls, &self.streams, &self.waits] {
            list.rcu(|ready| ready.iter().filter(|connection| kept(connection)).cloned().collect::<Vec<_>>());
        }
    }

    /// Adds connections to members whose limit of concurrent requests is reached.
    pub(crate) fn relieve(self: &Arc<Self>) {
        for connection in self.calls.load().iter().filter(|connection| connection.load.is_full()) {
            self.grow(&connection.member, Purpose::Calls);
        }
    }

    /// Adds a connection, unless one is being made or there are enough.
    pub(crate) fn grow(self: &Arc<Self>, member: &Arc<Member>, purpose: Purpose) {
        let list = self.list(purpose).load();
        let ready = list.iter().filter(|connection| connection.member.id == member.id).count();
        let connections = member.connections(purpose);
        // The exchange succeeds only if every counted connection is ready, so at most one is being made at a
        // time.
        let may_grow = ready < MOST_CONNECTIONS
            && connections.compare_exchange(ready, ready + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if may_grow {
            self.supervise(member, purpose, false);
        }
    }

    /// Starts the task of the endpoint's first connection for calls.
    pub(crate) fn supervise_first(self: &Arc<Self>, member: &Arc<Member>) {
        member.connections(Purpose::Calls).fetch_add(1, Ordering::Relaxed);
        self.supervise(member, Purpose::Calls, true);
    }

    fn supervise(self: &Arc<Self>, member: &Arc<Member>, purpose: Purpose, first: bool) {
        let supervisor = Supervisor { pool: Arc::clone(self), member: Arc::clone(member), purpose, first };
        self.tasks.spawn_on(supervisor.run(), &self.runtime);
    }
}
