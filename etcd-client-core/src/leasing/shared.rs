//! The state shared by the handles of a leasing service and its background task.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    kv::{Get, KvService},
    lease::{LeaseKeeper, LeaseService},
    leasing::{
        LeasingCounters,
        deadline::CallDeadline,
        keys::OwnershipKeys,
        ownership,
        state::{Read, State},
    },
    watch::WatchService,
};

/// A task that ends with the session at the latest.
pub(crate) type Job = BoxFuture<'static, ()>;

/// The session of a handle.
#[derive(Clone, Debug)]
pub(crate) enum SessionStatus {
    /// No lease is held; with the error of the last attempt to grant one.
    Inactive(Option<Error>),
    /// A lease is held.
    Active,
    /// The services are closed, so no lease will be granted.
    Ended(Error),
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) kv: Arc<dyn KvService>,
    pub(crate) watch: Arc<dyn WatchService>,
    pub(crate) lease: Arc<dyn LeaseService>,
    pub(crate) keys: OwnershipKeys,
    pub(crate) ttl: Duration,
    /// The time limit of calls without an explicit timeout.
    pub(crate) patience: Duration,
    inner: Mutex<Inner>,
    /// Notified when a write ends or an ownership changes.
    changed: Notify,
    /// Unbounded, because senders must not wait. The jobs are monitors and releases of owned keys, which have a bound.
    jobs: mpsc::UnboundedSender<Job>,
    pub(crate) status: watch::Sender<SessionStatus>,
    pub(crate) closing: CancellationToken,
    pub(crate) closed: CancellationToken,
    cached_reads: AtomicU64,
    acquired: AtomicU64,
    released: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// `None` without a session.
    keeper: Option<LeaseKeeper>,
}

/// The settings of a handle.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) keys: OwnershipKeys,
    pub(crate) ttl: Duration,
    pub(crate) patience: Duration,
    pub(crate) max_keys: usize,
}

impl Shared {
    pub(crate) fn new(
        services: (Arc<dyn KvService>, Arc<dyn WatchService>, Arc<dyn LeaseService>),
        settings: Settings,
        jobs: mpsc::UnboundedSender<Job>,
    ) -> Arc<Self> {
        let (kv, watch, lease) = services;
        let Settings { keys, ttl, patience, max_keys } = settings;
        Arc::new(Self {
            kv,
            watch,
            lease,
            keys,
            ttl,
            patience,
            inner: Mutex::new(Inner { state: State::new(max_keys), keeper: None }),
            changed: Notify::new(),
            jobs,
            status: watch::Sender::new(SessionStatus::Inactive(None)),
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
            cached_reads: AtomicU64::new(0),
            acquired: AtomicU64::new(0),
            released: AtomicU64::new(0),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The state stays consistent after a panic: no method of it can panic halfway.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the state at a time at which the lease certainly exists until `deadline`.
    pub(crate) fn with_state<T>(&self, read: impl FnOnce(&mut State, Instant, Instant) -> T) -> T {
        let mut inner = self.inner();
        let now = Instant::now();
        // A lost lease has no time left, even if its deadline has not passed.
        let deadline = inner.keeper.as_ref().map_or(now, |keeper| {
            let deadline = keeper.deadline();
            if keeper.is_lost() { now } else { deadline }
        });
        read(&mut inner.state, now, deadline)
    }

    /// Changes the state, and carries out what follows from the change.
    pub(crate) fn update<T>(self: &Arc<Self>, change: impl FnOnce(&mut State, Instant, Instant) -> T) -> T {
        let (result, releases) = self.with_state(|state, now, deadline| {
            let result = change(state, now, deadline);
            (result, state.take_releases())
        });
        for release in releases {
            self.released.fetch_add(1, Ordering::Relaxed);
            self.start(ownership::release(Arc::clone(self), release));
        }
        self.changed.notify_waiters();
        result
    }

    /// Passes a job to the background task. Without one the lease ends, and with it what the job is for.
    pub(crate) fn start(&self, job: impl Future<Output = ()> + Send + 'static) {
        let _ = self.jobs.send(Box::pin(job));
    }

    pub(crate) fn start_session(&self, keeper: LeaseKeeper) {
        let mut inner = self.inner();
        inner.state.start_session(keeper.id());
        inner.keeper = Some(keeper);
        drop(inner);
        self.status.send_replace(SessionStatus::Active);
    }

    pub(crate) fn end_session(&self, error: Option<Error>) -> Option<LeaseKeeper> {
        let mut inner = self.inner();
        inner.state.end_session();
        let keeper = inner.keeper.take();
        drop(inner);
        self.status.send_replace(SessionStatus::Inactive(error));
        self.changed.notify_waiters();
        keeper
    }

    /// Reads a key from the cache, after the writes to it that are in flight. The result is never [`Read::Wait`].
    ///
    /// # Errors
    /// Returns a timeout if the writes do not end before the deadline of the call.
    pub(crate) async fn read(&self, get: &Get, call: &CallDeadline) -> Result<Read, Error> {
        let read = |barrier| {
            self.with_state(|state, now, deadline| state.read(get, barrier, now.into(), deadline.into()))
        };
        let barrier = self.with_state(|state, _, _| state.barrier());
        let mut result = read(barrier);
        if result == Read::Wait {
            let ended = async {
                loop {
                    let mut changed = pin!(self.changed.notified());
                    // Before the state is read: a change between the two would be missed.
                    changed.as_mut().enable();
                    let result = read(barrier);
                    if result != Read::Wait {
                        return result;
                    }
                    changed.await;
                }
            };
            result = call.limit(ended).await?;
        }
        if matches!(result, Read::Cached(_)) {
            self.count_cached_read();
        }
        Ok(result)
    }

    pub(crate) fn count_cached_read(&self) {
        self.cached_reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_acquired(&self) {
        self.acquired.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> LeasingCounters {
        LeasingCounters {
            owned_keys: self.inner().state.owned(),
            cached_reads: self.cached_reads.load(Ordering::Relaxed),
            acquired: self.acquired.load(Ordering::Relaxed),
            released: self.released.load(Ordering::Relaxed),
        }
    }
}
