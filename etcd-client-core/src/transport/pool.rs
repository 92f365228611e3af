//! The connections of one client: which are ready, how each endpoint stands, and the pick for a call.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use etcd_errors::{Attempt, Error, ErrorKind};
use http::HeaderMap;
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connection::{Connection, Dial, InFlight, millis},
    connector::SharedConnector,
    headers::Headers,
    member::{Member, Purpose},
    observe::SharedObserver,
    origin::Origins,
    state::{EndpointPhase, Table},
    supervisor::Supervisor,
    wish::{Balance, Wish},
};
use crate::{
    mechanism::{liveness::Keepalive, pick::pick},
    model::Endpoint,
};

/// Calls in flight on one connection above which another one is made: h2 has one lock for each connection.
const CROWDED: usize = 64;

/// How long a connection has to be crowded, in milliseconds, until that happens.
const CROWDED_FOR: u32 = 50;

/// The connections of one endpoint and purpose at most.
const MOST_CONNECTIONS: usize = 4;

/// The wait for a connection for streams until a stream goes where calls go.
const STREAM_PATIENCE: Duration = Duration::from_secs(1);

/// What a pool is made of.
#[derive(Clone, Debug)]
pub(crate) struct PoolSettings {
    pub(crate) connector: SharedConnector,
    pub(crate) origins: Origins,
    pub(crate) balance: Balance,
    pub(crate) keepalive: KeepaliveSettings,
    /// Whether the members' own word on their health is listened to.
    pub(crate) health: bool,
    pub(crate) observer: SharedObserver,
}

/// How the silence of a peer is judged, as a user sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeepaliveSettings {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

impl Default for KeepaliveSettings {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), timeout: Duration::from_secs(5) }
    }
}

/// Every endpoint has supervisor tasks that keep connections to it; calls pick among those that are ready.
#[derive(Debug)]
pub(crate) struct Pool {
    settings: PoolSettings,
    members: ArcSwap<Vec<Arc<Member>>>,
    /// Held while the set of members changes.
    changing: Mutex<usize>,
    calls: ArcSwap<Vec<Arc<Connection>>>,
    streams: ArcSwap<Vec<Arc<Connection>>>,
    turn: AtomicUsize,
    states: watch::Sender<Table>,
    /// Told whenever a waiting call should look again.
    changed: watch::Sender<()>,
    /// Told one at a time, when a full connection has room again.
    room: Arc<Notify>,
    tasks: TaskTracker,
    runtime: Handle,
    shutdown: CancellationToken,
    runtime_ended: CancellationToken,
    epoch: Instant,
    /// What the pool's own requests carry.
    headers: HeaderMap,
}

impl Pool {
    /// Starts connecting to every endpoint in the background.
    pub(crate) fn start(endpoints: Vec<Endpoint>, settings: PoolSettings, runtime: &Handle) -> Arc<Self> {
        let pool = Arc::new(Self {
            settings,
            members: ArcSwap::default(),
            changing: Mutex::new(0),
            calls: ArcSwap::default(),
            streams: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            states: watch::Sender::default(),
            changed: watch::Sender::new(()),
            room: Arc::default(),
            tasks: TaskTracker::new(),
            runtime: runtime.clone(),
            shutdown: CancellationToken::new(),
            runtime_ended: CancellationToken::new(),
            epoch: Instant::now(),
            headers: Headers::new(None).base().clone(),
        });
        pool.set_endpoints(endpoints);
        pool
    }

    /// Replaces the set of endpoints. What stays keeps its connections; calls in flight on what goes are left to end.
    pub(crate) fn set_endpoints(self: &Arc<Self>, endpoints: Vec<Endpoint>) {
        let mut next_id = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shutdown.is_cancelled() {
            return;
        }
        let before = self.members.load_full();
        let (mut now, mut new) = (Vec::new(), Vec::new());
        for endpoint in endpoints {
            if let Some(kept) = before.iter().find(|member| member.endpoint == endpoint) {
                now.push(Arc::clone(kept));
                continue;
            }
            let member = Member::new(*next_id, endpoint, &self.settings.origins, self.shutdown.child_token());
            *next_id += 1;
            now.push(Arc::new(member));
            new.extend(now.last().cloned());
        }
        let kept: HashSet<usize> = now.iter().map(|member| member.id).collect();
        self.members.store(Arc::new(now));
        for gone in before.iter().filter(|member| !kept.contains(&member.id)) {
            gone.removed.cancel();
        }
        self.forget(|connection| kept.contains(&connection.member.id));
        self.states.send_modify(|table| {
            before.iter().filter(|member| !kept.contains(&member.id)).for_each(|gone| table.remove(gone.id));
            new.iter().for_each(|member| table.add(member.id, member.endpoint.clone()));
        });
        for member in &new {
            self.observer().phase(member.endpoint.as_str(), EndpointPhase::Connecting, None);
            self.supervise(member, Purpose::Calls);
        }
        drop(next_id);
        for gone in before.iter().filter(|member| !kept.contains(&member.id)) {
            self.observer().removed(gone.endpoint.as_str());
        }
        self.tell();
    }

    /// A ready connection, counted as used, or `None` when a call has to wait. Takes no lock.
    pub(crate) fn try_acquire(self: &Arc<Self>, wish: &Wish<'_>) -> Option<InFlight> {
        let ready = self.calls.load();
        loop {
            let connection = &ready[self.pick(&ready, wish)?];
            // Another call may have taken the last stream meanwhile.
            let Some(flight) = connection.begin() else { continue };
            connection.member.picked(wish.now);
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
        loop {
            self.check_reachable()?;
            let room = self.room.notified();
            if let Some(flight) = self.try_acquire(&wish.at(self.now())) {
                return Ok(flight);
            }
            self.relieve();
            tokio::select! {
                told = changed.changed() => told.map_err(|_gone| closed())?,
                () = room => {}
            }
        }
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
        loop {
            self.check_reachable()?;
            let calls = self.calls.load_full();
            let wish = wish.at(self.now());
            let Some(picked) = self.pick_for_stream(&calls, &wish) else {
                self.relieve();
                changed.changed().await.map_err(|_gone| closed())?;
                continue;
            };
            let member = &calls[picked].member;
            if let Some(flight) = self.stream_connection(member) {
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

    fn stream_connection(&self, member: &Member) -> Option<InFlight> {
        let streams = self.streams.load();
        let of_member = |connection: &&Arc<Connection>| connection.member.id == member.id;
        // Once no more may be made, even one without a place for another paced stream serves those that are not paced.
        let all = streams.iter().filter(of_member).count() >= MOST_CONNECTIONS;
        let usable = streams.iter().filter(of_member).filter(|connection| connection.load().is_some());
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
            if !self.calls.load().is_empty() {
                return Ok(());
            }
            changed.changed().await.map_err(|_gone| closed())?;
        }
    }

    /// An error where no call can succeed any more.
    pub(crate) fn check_alive(&self) -> Result<(), Error> {
        if self.shutdown.is_cancelled() {
            return Err(closed());
        }
        if self.runtime_ended.is_cancelled() {
            return Err(Error::new(
                ErrorKind::NoRuntime,
                "the tokio runtime that this client was built on has ended",
            ));
        }
        Ok(())
    }

    /// An error where there can be no connection.
    fn check_reachable(&self) -> Result<(), Error> {
        self.check_alive()?;
        if self.size() == 0 {
            let text =
                "this client was built over a service: it has no endpoints and no connections of its own";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Ok(())
    }

    /// Why a call finds no connection, for each endpoint.
    pub(crate) fn troubles(&self) -> Vec<Attempt> {
        let explain = |state: super::state::EndpointState| {
            let reason = state.reason.as_deref().unwrap_or("connected, but with as many calls as it allows");
            Attempt::new(state.endpoint.as_str(), reason).with_sent(false)
        };
        self.states.borrow().rows().into_iter().map(explain).collect()
    }

    /// Whether a connection to another member than these can be used.
    pub(crate) fn has_ready_besides(&self, members: &[usize]) -> bool {
        let usable = |connection: &Arc<Connection>| connection.load().is_some();
        self.calls.load().iter().any(|ready| !members.contains(&ready.member.id) && usable(ready))
    }

    /// The endpoints of the pool.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.members.load().iter().map(|member| member.endpoint.clone()).collect()
    }

    pub(crate) fn has(&self, endpoint: &Endpoint) -> bool {
        self.members.load().iter().any(|member| member.endpoint == *endpoint)
    }

    /// Those that have a connection.
    pub(crate) fn ready_endpoints(&self) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for connection in self.calls.load().iter() {
            if !endpoints.contains(&connection.member.endpoint) {
                endpoints.push(connection.member.endpoint.clone());
            }
        }
        endpoints
    }

    pub(crate) fn balance(&self) -> Balance {
        self.settings.balance
    }

    /// Told whenever a connection was added.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// How many endpoints this client has.
    pub(crate) fn size(&self) -> usize {
        self.members.load().len()
    }

    pub(crate) fn observer(&self) -> &SharedObserver {
        &self.settings.observer
    }

    /// Now, as member statistics count it.
    pub(crate) fn now(&self) -> u32 {
        self.at(Instant::now())
    }

    pub(crate) fn at(&self, moment: Instant) -> u32 {
        millis(moment.saturating_duration_since(self.epoch))
    }

    pub(crate) fn states(&self) -> watch::Receiver<Table> {
        self.states.subscribe()
    }

    /// Ends every connection and task. Calls that wait or are in flight end.
    pub(crate) fn close(&self) {
        if !self.shutdown.is_cancelled() {
            self.members.load().iter().for_each(|member| self.observer().removed(member.endpoint.as_str()));
        }
        self.shutdown.cancel();
        self.forget(|_| false);
        self.tasks.close();
        self.tell();
    }

    /// Waits until every task has ended, after [`Pool::close`].
    pub(crate) async fn closed(&self) {
        self.tasks.wait().await;
    }

    /// Ends when the pool is closed.
    pub(crate) async fn shutdown(&self) {
        self.shutdown.cancelled().await;
    }

    /// Ends when the pool is closed.
    pub(crate) fn shutdown_token(&self) -> &CancellationToken {
        &self.shutdown
    }

    // ===== what supervisors need and report =====

    pub(super) fn listens_to_health(&self) -> bool {
        self.settings.health
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn keepalive(&self, purpose: Purpose) -> Keepalive {
        let KeepaliveSettings { interval, timeout } = self.settings.keepalive;
        match purpose {
            Purpose::Calls => Keepalive::for_calls(timeout),
            Purpose::Streams => Keepalive::for_streams(interval, timeout),
        }
    }

    pub(super) fn dial<'a>(
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
            tasks: &self.tasks,
            shutdown: &self.shutdown,
            runtime_ended: &self.runtime_ended,
            room: &self.room,
            epoch: self.epoch,
        }
    }

    /// Runs a task that ends with the pool.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn_on(task, &self.runtime)
    }

    pub(super) fn add(&self, connection: &Arc<Connection>) {
        if self.shutdown.is_cancelled() || connection.member.removed.is_cancelled() {
            return;
        }
        connection.member.set_foreign(false);
        self.list(connection.purpose).rcu(|ready| {
            let mut ready = Vec::clone(ready);
            ready.push(Arc::clone(connection));
            ready
        });
        self.tell();
    }

    pub(super) fn remove(&self, connection: &Arc<Connection>) {
        self.list(connection.purpose).rcu(|ready| {
            let mut ready = Vec::clone(ready);
            ready.retain(|other| !Arc::ptr_eq(other, connection));
            ready
        });
    }

    pub(super) fn phase(&self, member: &Member, phase: EndpointPhase, reason: Option<Arc<str>>) {
        let why = reason.clone();
        if self.states.send_if_modified(|table| table.set(member.id, phase, reason)) {
            self.observer().phase(member.endpoint.as_str(), phase, why.as_deref());
        }
    }

    /// Has waiting calls look again.
    pub(super) fn tell(&self) {
        self.changed.send_replace(());
    }

    /// Whether fewer connections would be crowded.
    pub(super) fn needs_all_connections(&self, member: &Member) -> bool {
        let calls = self.calls.load();
        let of_member = calls.iter().filter(|connection| connection.member.id == member.id);
        let (count, in_flight) =
            of_member.fold((0, 0), |(n, sum), connection| (n + 1, sum + connection.gauge.in_flight()));
        count > 0 && in_flight * 2 > CROWDED * (count - 1)
    }

    pub(super) fn runtime_ended(&self) {
        self.runtime_ended.cancel();
        // Their drivers are gone: a call that picked one would find that out again and again.
        self.forget(|_| false);
        self.tell();
    }

    fn list(&self, purpose: Purpose) -> &ArcSwap<Vec<Arc<Connection>>> {
        match purpose {
            Purpose::Calls => &self.calls,
            Purpose::Streams => &self.streams,
        }
    }

    fn forget(&self, kept: impl Fn(&Connection) -> bool) {
        for list in [&self.calls, &self.streams] {
            list.rcu(|ready| ready.iter().filter(|connection| kept(connection)).cloned().collect::<Vec<_>>());
        }
    }

    /// More connections where the peers allow too few calls on those that are there.
    fn relieve(self: &Arc<Self>) {
        for connection in self.calls.load().iter().filter(|connection| connection.gauge.room().is_none()) {
            self.grow(&connection.member, Purpose::Calls);
        }
    }

    /// One more connection, unless one is being made or there are enough.
    fn grow(self: &Arc<Self>, member: &Arc<Member>, purpose: Purpose) {
        let list = self.list(purpose).load();
        let ready = list.iter().filter(|connection| connection.member.id == member.id).count();
        let kept = member.connections(purpose).load(Ordering::Relaxed);
        if kept == ready && kept < MOST_CONNECTIONS {
            self.supervise(member, purpose);
        }
    }

    fn supervise(self: &Arc<Self>, member: &Arc<Member>, purpose: Purpose) {
        let before = member.connections(purpose).fetch_add(1, Ordering::Relaxed);
        let first = before == 0 && purpose == Purpose::Calls;
        let supervisor = Supervisor { pool: Arc::clone(self), member: Arc::clone(member), purpose, first };
        self.tasks.spawn_on(supervisor.run(), &self.runtime);
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client was closed")
}
