//! The connections of one client, and the states of its endpoints.

pub(crate) mod background;
pub(crate) mod health;
pub(crate) mod notices;
pub(crate) mod selection;
pub(crate) mod supervisor;

pub(crate) mod acquire;
pub(crate) mod check;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use arc_swap::ArcSwap;
use etcd_errors::{Attempt, Error, ErrorKind, ErrorTopic, GrpcCode};
use http::HeaderMap;
use tokio::{runtime::Handle, sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    transport::{
        balance::{Balance, Preference, member_health::Scope},
        connect::SharedConnector,
        connection::{
            capacity::Capacity,
            histories::Histories,
            identity::Rejection,
            limit::Limit,
            member::Member,
            verified::{Connection, millis},
        },
        endpoint::{EndpointPhase, Table, authority::Origins, outage::Note},
        grpc::{headers::Headers, method::PURPOSES, timeout::seconds},
        observe::observer::SharedObserver,
        pool::{
            notices::{Notice, Notices},
            selection::Selection,
        },
    },
    types::Endpoint,
};

/// The settings of a pool.
#[derive(Clone, Debug)]
pub(crate) struct PoolSettings {
    pub(crate) connector: SharedConnector,
    pub(crate) origins: Origins,
    pub(crate) balance: Balance,
    pub(crate) keepalive: KeepaliveSettings,
    /// Enables following the members' health services.
    pub(crate) health: bool,
    pub(crate) observer: SharedObserver,
    /// Shared with the clients for single members.
    pub(crate) histories: Arc<Histories>,
    /// Accepts another cluster or history automatically if no endpoint serves the known one.
    pub(crate) accepts_replacement: bool,
}

/// The keep-alive settings, as configured by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeepaliveSettings {
    pub(crate) interval: Duration,
    /// `None` uses the default of each purpose.
    pub(crate) timeout: Option<Duration>,
}

impl Default for KeepaliveSettings {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), timeout: None }
    }
}

/// The connections of a client. Supervisor tasks maintain the connections of every endpoint, and calls pick among the
/// ready ones.
#[derive(Debug)]
pub(crate) struct Pool {
    settings: PoolSettings,
    members: ArcSwap<Vec<Arc<Member>>>,
    /// Locked while the set of members changes. Contains the next member id.
    changing: Mutex<usize>,
    calls: ArcSwap<Vec<Arc<Connection>>>,
    streams: ArcSwap<Vec<Arc<Connection>>>,
    waits: ArcSwap<Vec<Arc<Connection>>>,
    turn: AtomicUsize,
    states: watch::Sender<Table>,
    /// The changes of `states` and `members` that the observer has not seen yet.
    notices: Notices,
    /// Notified when waiting calls should look again.
    changed: watch::Sender<()>,
    /// The queues of calls that wait for slots, by purpose.
    capacities: [Arc<Capacity<Arc<Connection>>>; PURPOSES],
    tasks: TaskTracker,
    runtime: Handle,
    shutdown: CancellationToken,
    runtime_ended: CancellationToken,
    epoch: Instant,
    /// The headers of the pool's own requests.
    headers: HeaderMap,
}

impl Pool {
    /// Starts connecting to all endpoints in the background.
    pub(crate) fn start(endpoints: Vec<Endpoint>, settings: PoolSettings, runtime: &Handle) -> Arc<Self> {
        let pool = Arc::new(Self {
            settings,
            members: ArcSwap::default(),
            changing: Mutex::new(0),
            calls: ArcSwap::default(),
            streams: ArcSwap::default(),
            waits: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            states: watch::Sender::default(),
            notices: Notices::default(),
            changed: watch::Sender::new(()),
            capacities: std::array::from_fn(|_| Arc::new(Capacity::new())),
            tasks: TaskTracker::new(),
            runtime: runtime.clone(),
            shutdown: CancellationToken::new(),
            runtime_ended: CancellationToken::new(),
            epoch: Instant::now(),
            headers: Headers::new(None).base().clone(),
        });
        // A new pool is not closed.
        if let Ok(unsent) = pool.set_endpoints(endpoints) {
            unsent.send();
        }
        pool
    }

    /// Replaces the set of endpoints. Endpoints that stay keep their connections. Calls in flight on removed ones may
    /// finish. Fails if the pool is closed.
    pub(crate) fn set_endpoints(self: &Arc<Self>, endpoints: Vec<Endpoint>) -> Result<Unsent<'_>, Error> {
        let mut next_id = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock that `close` takes too, so that no endpoint is added after the removal of all.
        if self.shutdown.is_cancelled() {
            return Err(closed());
        }
        let before = self.members.load_full();
        let (mut now, mut new) = (Vec::new(), Vec::new());
        for endpoint in endpoints {
            // A kept member keeps its id, its statistics and its connections: refreshing the endpoints is no
            // reason to reconnect.
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
        // In this order: a supervisor that adds its connection after `forget` sees that its member is removed.
        for gone in before.iter().filter(|member| !kept.contains(&member.id)) {
            gone.removed.cancel();
        }
        self.forget(|connection| kept.contains(&connection.member.id));
        self.states.send_modify(|table| {
            for member in &new {
                table.add(member.id, member.endpoint.clone());
                let (endpoint, phase) = (member.endpoint.clone(), EndpointPhase::Connecting);
                self.notices.push(Notice::Phase { endpoint, phase, reason: None, note: Note::Quiet });
            }
            for gone in before.iter().filter(|member| !kept.contains(&member.id)) {
                table.remove(gone.id);
                self.notices.push(Notice::Removed(gone.endpoint.clone()));
            }
        });
        new.iter().for_each(|member| self.supervise_first(member));
        drop(next_id);
        self.notify();
        Ok(Unsent(self))
    }

    /// Returns an error if no further call can succeed.
    pub(crate) fn check_alive(&self) -> Result<(), Error> {
        if self.shutdown.is_cancelled() {
            return Err(closed());
        }
        if self.runtime_ended.is_cancelled() {
            return Err(Error::new(ErrorKind::NoRuntime, "the Tokio runtime of this client has shut down"));
        }
        Ok(())
    }

    /// Returns an error if there can be no connection.
    fn check_reachable(&self) -> Result<(), Error> {
        self.check_alive()?;
        if self.size() == 0 {
            let text = "this client was built over a service: it has no endpoints or connections";
            return Err(Error::new(ErrorKind::Unsupported, text).with_topic(ErrorTopic::Service));
        }
        Ok(())
    }

    /// Returns the reason why no call can succeed, if every endpoint belongs to another cluster or history.
    pub(crate) fn rejection(&self, selection: Option<&Selection<'_>>) -> Option<Error> {
        let members = self.members.load();
        let wanted = |member: &&Arc<Member>| match selection.map(|selection| selection.preference) {
            Some(Preference::Only(endpoint)) => member.endpoint == *endpoint,
            _ => true,
        };
        let mut rejections = members.iter().filter(wanted).map(|member| self.rejection_of(member));
        // The first `?` is for a pool without such members, the second for a member that is not rejected.
        let first = rejections.next()??;
        if rejections.all(|rejection| rejection.is_some()) { Some(first.error()) } else { None }
    }

    /// Accepts the cluster of the endpoints, if the client is configured to and no endpoint serves the known one.
    pub(crate) fn accept_unasked(&self) {
        let members = self.members.load();
        let all = self.settings.accepts_replacement
            && members
                .iter()
                .all(|member| self.rejection_of(member).is_some_and(|rejection| rejection.is_acceptable()));
        if all && let Some(rejection) = members.first().and_then(|member| self.rejection_of(member)) {
            self.accept(&self.settings.histories.current(), rejection.cluster);
        }
    }

    /// Returns why a member is rejected. A rejection from an earlier history does not count, because the member is
    /// checked again.
    fn rejection_of(&self, member: &Member) -> Option<Rejection> {
        let rejection = member.rejection()?;
        (rejection.history == self.settings.histories.current().number()).then_some(rejection)
    }

    /// Returns the error of a call that needs a quorum, if all endpoints that it may use are learners.
    fn learners_only(&self, selection: &Selection<'_>) -> Option<Error> {
        if selection.scope != Scope::Quorum {
            return None;
        }
        let (members, calls) = (self.members.load(), self.calls.load());
        let wanted = |member: &&Arc<Member>| match selection.preference {
            Preference::Only(endpoint) => member.endpoint == *endpoint,
            _ => true,
        };
        let is_learner = |member: &Arc<Member>| {
            let mut of_member = calls.iter().filter(|connection| connection.member.id == member.id);
            of_member.any(|connection| connection.limit() == Limit::Learner && !connection.is_retired())
        };
        members.iter().filter(wanted).all(is_learner).then(|| {
            Error::from_server(GrpcCode::FailedPrecondition, "etcdserver: rpc not supported for learner")
        })
    }

    /// Returns the first rejection of an endpoint.
    pub(crate) fn any_rejection(&self) -> Option<Error> {
        self.members
            .load()
            .iter()
            .find_map(|member| self.rejection_of(member))
            .map(|rejection| rejection.error())
    }

    /// Returns the clusters of rejected endpoints that the user may accept, each once.
    pub(crate) fn acceptable(&self) -> Vec<u64> {
        let members = self.members.load();
        let rejections = members.iter().filter_map(|member| self.rejection_of(member));
        let mut clusters: Vec<u64> =
            rejections.filter(Rejection::is_acceptable).map(|rejection| rejection.cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        clusters
    }

    /// Returns the reason of each endpoint why a call finds no connection.
    pub(crate) fn last_errors(&self) -> Vec<Attempt> {
        self.states.borrow().last_errors(self.why_connected())
    }

    /// Returns the reason why a call finds no connection to a connected endpoint.
    fn why_connected(&self) -> &'static str {
        if self.is_crowded() {
            "connected, but at its limit of concurrent calls"
        } else {
            "connected, but without a response in time"
        }
    }

    /// Returns `true` if a connection is at its peer's limit of concurrent calls.
    fn is_crowded(&self) -> bool {
        let lists = [&self.calls, &self.streams, &self.waits];
        lists.iter().any(|list| list.load().iter().any(|connection| connection.load.is_full()))
    }

    /// Returns the error of a call that found no ready endpoint within the given time. It lists no attempts.
    pub(crate) fn unready(&self, waited: Duration) -> Error {
        // A rejection needs a decision by the user, which the states of the other endpoints do not.
        if let Some(rejection) = self.any_rejection() {
            return rejection;
        }
        let states = self.states.borrow();
        if states.all_ready() && self.is_crowded() {
            let text =
                format!("every connection was at its limit of concurrent calls for {}", seconds(waited));
            return Error::new(ErrorKind::Unavailable, text).with_topic(ErrorTopic::Capacity);
        }
        let (why, cause) = states.blame(self.why_connected());
        let text = format!("no endpoint was ready within {}: {why}", seconds(waited));
        let error = Error::new(ErrorKind::Unavailable, text);
        match cause {
            Some(cause) => error.with_shared_source(cause),
            None => error,
        }
    }

    /// Returns the endpoints of the pool.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.members.load().iter().map(|member| member.endpoint.clone()).collect()
    }

    pub(crate) fn has(&self, endpoint: &Endpoint) -> bool {
        self.members.load().iter().any(|member| member.endpoint == *endpoint)
    }

    /// Returns the endpoints with a connection.
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

    /// Returns a receiver that is notified whenever a connection is added.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns the number of endpoints.
    pub(crate) fn size(&self) -> usize {
        self.members.load().len()
    }

    pub(crate) fn observer(&self) -> &SharedObserver {
        &self.settings.observer
    }

    /// Returns the current time in the unit of member statistics.
    pub(crate) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    pub(crate) fn at(&self, moment: Instant) -> u64 {
        millis(moment.saturating_duration_since(self.epoch))
    }

    /// Returns the time since the start of the pool.
    pub(crate) fn age(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(crate) fn states(&self) -> watch::Receiver<Table> {
        self.states.subscribe()
    }

    /// Ends all connections and tasks. Calls that wait or are in flight fail.
    pub(crate) fn close(&self) {
        // The tasks see the token before their connections disappear, so they end instead of reconnecting.
        self.shutdown.cancel();
        self.forget(|_| false);
        {
            // Waits for a change of the endpoints that has not seen the token.
            let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            self.notices.close(self.endpoints());
        }
        // Lets `closed` return once the last task has ended.
        self.tasks.close();
        self.notify();
        self.notices.send(self.observer());
    }

    /// Waits until all tasks have ended, after [`Pool::close`].
    pub(crate) async fn closed(&self) {
        self.tasks.wait().await;
    }

    /// Waits until the pool is closed.
    pub(crate) async fn shutdown(&self) {
        self.shutdown.cancelled().await;
    }

    /// Returns the token that is cancelled when the pool is closed.
    pub(crate) fn shutdown_token(&self) -> &CancellationToken {
        &self.shutdown
    }
}

/// Notices of a change of the endpoints that are queued for the observer.
#[must_use = "the observer is notified by `send`"]
pub(crate) struct Unsent<'a>(&'a Pool);

impl Unsent<'_> {
    /// Notifies the observer. Must be called without locks, because its code may call the client.
    pub(crate) fn send(self) {
        self.0.notices.send(self.0.observer());
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client was closed")
}
