//! The connections of one client: which are ready, which endpoint failed how, and the pick for a call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use etcd_errors::{Attempt, Error, ErrorKind};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connection::{Connection, Dial, InFlight},
    connector::SharedConnector,
    endpoint::Endpoint,
    supervisor,
};
use crate::mechanism::pick::pick;

/// Every endpoint has one supervisor task that keeps a connection to it; calls pick among those that are ready.
#[derive(Debug)]
pub(crate) struct Pool {
    members: Box<[Member]>,
    connector: SharedConnector,
    ready: ArcSwap<Vec<Arc<Connection>>>,
    /// Told whenever a waiting call should look again.
    changed: watch::Sender<()>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    runtime_ended: CancellationToken,
}

#[derive(Debug)]
struct Member {
    endpoint: Endpoint,
    /// Why there is no connection, or `None` while there is one.
    trouble: Mutex<Option<Arc<str>>>,
}

impl Pool {
    /// Starts connecting to every endpoint in the background.
    pub(crate) fn start(endpoints: Vec<Endpoint>, connector: SharedConnector, runtime: &Handle) -> Arc<Self> {
        let members = endpoints
            .into_iter()
            .map(|endpoint| Member { endpoint, trouble: Mutex::new(Some("not connected yet".into())) })
            .collect();
        let pool = Arc::new(Self {
            members,
            connector,
            ready: ArcSwap::default(),
            changed: watch::Sender::new(()),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            runtime_ended: CancellationToken::new(),
        });
        for member in 0..pool.members.len() {
            pool.tasks.spawn_on(supervisor::run(Arc::clone(&pool), member), runtime);
        }
        pool
    }

    /// A ready connection, counted as used, or `None` when a call has to wait. Takes no lock.
    pub(crate) fn try_acquire(&self, avoid: &[usize]) -> Option<InFlight> {
        let ready = self.ready.load();
        loop {
            let random = if ready.len() > 1 { fastrand::u64(..) } else { 0 };
            let picked =
                pick(ready.len(), |i| ready[i].load(), |i| avoid.contains(&ready[i].member), random)?;
            // Another call may have taken the last stream meanwhile.
            if let Some(flight) = ready[picked].begin() {
                return Some(flight);
            }
        }
    }

    /// Waits for a ready connection. Ends with an error only when there can be none any more.
    ///
    /// Cancel safe.
    pub(crate) async fn acquire(&self, avoid: &[usize]) -> Result<InFlight, Error> {
        let mut changed = self.changed.subscribe();
        loop {
            self.check_alive()?;
            if let Some(flight) = self.try_acquire(avoid) {
                return Ok(flight);
            }
            changed.changed().await.map_err(|_gone| closed())?;
        }
    }

    /// Waits until an endpoint is ready.
    ///
    /// Cancel safe.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let mut changed = self.changed.subscribe();
        loop {
            self.check_alive()?;
            if !self.ready.load().is_empty() {
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

    /// Why a call finds no connection, for each endpoint.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = Attempt> + '_ {
        self.members.iter().map(|member| {
            let trouble = lock(&member.trouble).clone();
            let reason = trouble.as_deref().unwrap_or("connected, but with as many calls as it allows");
            Attempt::new(member.endpoint.as_str(), reason).with_sent(false)
        })
    }

    /// Whether a connection to another member than these is ready.
    pub(crate) fn has_ready_besides(&self, members: &[usize]) -> bool {
        self.ready.load().iter().any(|connection| !members.contains(&connection.member))
    }

    /// How many endpoints this client has.
    pub(crate) fn size(&self) -> usize {
        self.members.len()
    }

    /// Ends every connection and task. Calls that wait or are in flight end.
    pub(crate) fn close(&self) {
        self.shutdown.cancel();
        self.ready.store(Arc::default());
        self.tasks.close();
        self.changed.send_replace(());
    }

    /// Waits until every task has ended, after [`Pool::close`].
    pub(crate) async fn closed(&self) {
        self.tasks.wait().await;
    }

    /// Ends when the pool is closed.
    pub(crate) async fn shutdown(&self) {
        self.shutdown.cancelled().await;
    }

    // ===== what supervisors report =====

    pub(super) fn dial(&self, member: usize) -> Dial<'_> {
        Dial {
            endpoint: &self.members[member].endpoint,
            member,
            connector: &self.connector,
            tasks: &self.tasks,
            shutdown: &self.shutdown,
            runtime_ended: &self.runtime_ended,
            changed: &self.changed,
        }
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn(task)
    }

    pub(super) fn add(&self, connection: &Arc<Connection>) {
        if self.shutdown.is_cancelled() {
            return;
        }
        *lock(&self.members[connection.member].trouble) = None;
        self.ready.rcu(|ready| {
            let mut ready = Vec::clone(ready);
            ready.push(Arc::clone(connection));
            ready
        });
        self.changed.send_replace(());
    }

    pub(super) fn remove(&self, connection: &Arc<Connection>, why: Arc<str>) {
        self.ready.rcu(|ready| {
            let mut ready = Vec::clone(ready);
            ready.retain(|other| !Arc::ptr_eq(other, connection));
            ready
        });
        self.trouble(connection.member, why);
    }

    pub(super) fn trouble(&self, member: usize, why: Arc<str>) {
        let endpoint = self.members[member].endpoint.as_str();
        tracing::debug!(endpoint, reason = &*why, "no connection");
        *lock(&self.members[member].trouble) = Some(why);
    }

    pub(super) fn runtime_ended(&self) {
        self.runtime_ended.cancel();
        // Their drivers are gone: a call that picked one would find that out again and again.
        self.ready.store(Arc::default());
        self.changed.send_replace(());
    }
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client was closed")
}

/// What these mutexes hold is replaced as a whole: a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
