//! The handle of a lease that is kept alive.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use etcd_errors::Error;
use futures_core::{Stream, future::BoxFuture};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    lease::{Clock, LeaseLost, LeaseLostReason, LeaseRevokeResponse, LeaseState, Moment},
    types::LeaseId,
};

/// The requests of a handle to the service that created it.
pub(crate) trait LeaseControl: Send + Sync + fmt::Debug {
    /// Revokes the lease on the server.
    fn revoke(&self) -> BoxFuture<'static, Result<LeaseRevokeResponse, Error>>;
    /// Stops the renewals, because the lease is lost or its last handle is dropped. Never blocks.
    fn stop(&self);
}

/// A lease that is kept alive.
///
/// The client renews the lease whenever a third of its TTL has passed, on another member if one is slow or fails.
///
/// Clones share the lease. Each of them keeps its client alive, so dropping the last [`Client`](crate::client::Client) stops
/// no renewal; [`Client::close`](crate::client::Client::close) stops all of them. When the last clone is dropped, the
/// renewals stop and the lease is **not** revoked: it expires by itself, at the [`deadline`](Self::deadline) at the
/// earliest. [`revoke`](Self::revoke) ends it immediately.
///
/// The lease is lost as soon as it may have expired by the client's own clock, even if the server would expire it
/// later: the deadline counts from when the last successful renewal was *sent*. On Linux and Android, time during
/// which the machine was suspended counts too. A lost lease stays lost and is no longer renewed.
///
/// # Examples
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
///
/// let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
/// client.put("leader", "me").lease(lease.id()).await?;
/// let lost = lease.lost();
/// tokio::spawn(async move { eprintln!("{}", lost.await) });
/// lease.revoke().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a lease is renewed only while its handle is held"]
pub struct LeaseKeeper {
    held: Arc<Held>,
}

/// Stops the renewals when the last handle is dropped.
struct Held {
    shared: Arc<Shared>,
    control: Arc<dyn LeaseControl>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.lose(LeaseLostReason::Released, None);
        self.control.stop();
    }
}

impl LeaseKeeper {
    pub(crate) fn new(shared: Arc<Shared>, control: Arc<dyn LeaseControl>) -> Self {
        Self { held: Arc::new(Held { shared, control }) }
    }

    pub(crate) fn downgrade(&self) -> WeakLeaseKeeper {
        WeakLeaseKeeper { held: Arc::downgrade(&self.held) }
    }

    /// Marks the lease as lost for all handles, unless it already is.
    pub(crate) fn lose(&self, reason: LeaseLostReason) {
        self.held.shared.lose(reason, None);
    }

    /// Returns the lease id.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client, lease: etcd_client_core::lease::LeaseKeeper) -> Result<(), etcd_client_core::Error> {
    /// client.put("alive", "yes").lease(lease.id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> LeaseId {
        self.held.shared.id
    }

    /// Returns the lease TTL, as set by the server.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) {
    /// println!("renewed with a TTL of {:?}", lease.ttl());
    /// # }
    /// ```
    pub fn ttl(&self) -> Duration {
        self.held.shared.inner().ttl
    }

    /// Returns the deadline until which the lease certainly exists: its TTL, counted from when the last successful
    /// renewal was sent.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) {
    /// let left = lease.deadline().saturating_duration_since(tokio::time::Instant::now());
    /// println!("the lease exists for at least {left:?}");
    /// # }
    /// ```
    pub fn deadline(&self) -> Instant {
        self.held.shared.deadline()
    }

    /// Returns whether the lease may have expired or is lost for another reason. Once `true`, it stays `true`.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) {
    /// if lease.is_lost() {
    ///     eprintln!("stop working");
    /// }
    /// # }
    /// ```
    pub fn is_lost(&self) -> bool {
        self.held.shared.check().is_some()
    }

    /// Waits until the lease is lost.
    ///
    /// The future completes immediately when the server reports that the lease does not exist, and at the latest when
    /// the lease may have expired. It does not keep the lease alive.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) {
    /// tokio::select! {
    ///     lost = lease.lost() => eprintln!("stop working: {lost}"),
    ///     () = std::future::pending() => {} // the work
    /// }
    /// # }
    /// ```
    pub fn lost(&self) -> impl Future<Output = LeaseLost> + Send + use<> {
        let shared = Arc::clone(&self.held.shared);
        async move { shared.lost().await }
    }

    /// Returns the current state.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) {
    /// println!("{:?}", lease.state());
    /// # }
    /// ```
    pub fn state(&self) -> LeaseState {
        self.held.shared.state()
    }

    /// Returns a stream of states. It starts with the current one, yields every change, and ends when the lease is
    /// lost. The stream does not keep the lease alive.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) {
    /// use futures_util::StreamExt;
    ///
    /// let mut states = lease.states();
    /// while let Some(state) = states.next().await {
    ///     println!("{state:?}");
    /// }
    /// # }
    /// ```
    pub fn states(&self) -> impl Stream<Item = LeaseState> + Send + Unpin + use<> {
        let shared = Arc::clone(&self.held.shared);
        let seen = Some((shared.state.subscribe(), shared, true));
        Box::pin(futures_util::stream::unfold(seen, |seen| async move {
            let (mut state, shared, first) = seen?;
            if !first {
                shared.changed(&mut state).await;
            }
            // Marks a passed deadline first.
            shared.check();
            // Read and marked as seen in one step, so that a change in between is not missed.
            let now = state.borrow_and_update().clone();
            let lost = matches!(now, LeaseState::Lost(_));
            Some((now, (!lost).then_some((state, shared, false))))
        }))
    }

    /// Revokes the lease, which deletes its keys.
    ///
    /// The lease is lost for every clone as soon as this method is called, even if the future is never awaited or the
    /// call fails. The lease then expires by itself.
    ///
    /// # Errors
    /// Returns the same errors as [`LeaseClient::revoke`](crate::lease::LeaseClient::revoke).
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(lease: etcd_client_core::lease::LeaseKeeper) -> Result<(), etcd_client_core::Error> {
    /// lease.revoke().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn revoke(self) -> impl Future<Output = Result<LeaseRevokeResponse, Error>> + Send + use<> {
        // Lost before the request is sent: the server may revoke the lease even if the future is dropped.
        self.held.shared.lose(LeaseLostReason::Revoked, None);
        self.held.control.stop();
        self.held.control.revoke()
    }
}

impl fmt::Debug for LeaseKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseKeeper")
            .field("id", &self.id())
            .field("state", &*self.held.shared.state.borrow())
            .finish_non_exhaustive()
    }
}

/// Returns another handle while one exists.
pub(crate) struct WeakLeaseKeeper {
    held: Weak<Held>,
}

impl WeakLeaseKeeper {
    pub(crate) fn upgrade(&self) -> Option<LeaseKeeper> {
        Some(LeaseKeeper { held: self.held.upgrade()? })
    }
}

impl fmt::Debug for WeakLeaseKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakLeaseKeeper").finish_non_exhaustive()
    }
}

/// The state that the renewals of a lease share with its handles.
#[derive(Debug)]
pub(crate) struct Shared {
    id: LeaseId,
    clock: Clock,
    inner: Mutex<Inner>,
    state: watch::Sender<LeaseState>,
}

#[derive(Debug)]
struct Inner {
    ttl: Duration,
    deadline: Moment,
    late: Option<Error>,
    lost: Option<LeaseLost>,
}

impl Shared {
    pub(crate) fn new(id: LeaseId, clock: Clock, ttl: Duration, deadline: Moment) -> Arc<Self> {
        let inner = Mutex::new(Inner { ttl, deadline, late: None, lost: None });
        Arc::new(Self { id, clock, inner, state: watch::Sender::new(LeaseState::Alive) })
    }

    pub(crate) fn id(&self) -> LeaseId {
        self.id
    }

    /// Records a successful renewal, which extends the lease until `deadline`. Returns `false` if it was already
    /// lost.
    pub(crate) fn renewed(&self, ttl: Duration, deadline: Moment) -> bool {
        // A renewal that arrives after the deadline must not revive the lease: a holder may have seen it lost already.
        if self.check().is_some() {
            return false;
        }
        let mut inner = self.inner();
        inner.ttl = ttl;
        // Responses can arrive out of order, so a renewal that was sent earlier does not move the deadline back.
        inner.deadline = inner.deadline.max(deadline);
        inner.late = None;
        drop(inner);
        self.state.send_if_modified(|state| {
            let late = matches!(state, LeaseState::Late { .. });
            if late {
                *state = LeaseState::Alive;
            }
            late
        });
        true
    }

    /// Records that a renewal is late.
    pub(crate) fn late(&self, error: Option<Error>) {
        let mut inner = self.inner();
        inner.late = error.or_else(|| inner.late.take());
        let error = inner.late.clone();
        drop(inner);
        self.state.send_if_modified(|state| match state {
            LeaseState::Alive => {
                *state = LeaseState::Late { since: Instant::now(), error };
                true
            }
            LeaseState::Late { error: before, .. } => {
                let new = before.is_none() && error.is_some();
                *before = error;
                new
            }
            LeaseState::Lost(_) => false,
        });
    }

    /// Marks the lease as lost, unless it already is.
    pub(crate) fn lose(&self, reason: LeaseLostReason, error: Option<Error>) {
        let mut inner = self.inner();
        self.lose_locked(&mut inner, reason, error);
    }

    fn lose_locked(&self, inner: &mut Inner, reason: LeaseLostReason, error: Option<Error>) -> LeaseLost {
        // The first reason is final, so that all holders see the same one.
        if let Some(lost) = &inner.lost {
            return lost.clone();
        }
        let lost = LeaseLost::new(self.id, reason);
        let lost = match error.or_else(|| inner.late.take()) {
            Some(error) => lost.with_error(error),
            None => lost,
        };
        inner.lost = Some(lost.clone());
        // Published while the lock is held, so that no holder sees the loss before the state shows it.
        self.state.send_replace(LeaseState::Lost(lost.clone()));
        lost
    }

    /// Returns the loss of the lease, if it is lost. The first caller to find the deadline passed marks it for all
    /// others.
    pub(crate) fn check(&self) -> Option<LeaseLost> {
        let mut inner = self.inner();
        if inner.lost.is_none() && self.clock.now() >= inner.deadline {
            let rejected = inner.late.as_ref().is_some_and(Error::is_permission_denied);
            let reason = if rejected { LeaseLostReason::Denied } else { LeaseLostReason::Expired };
            self.lose_locked(&mut inner, reason, None);
        }
        inner.lost.clone()
    }

    fn state(&self) -> LeaseState {
        self.check();
        self.state.borrow().clone()
    }

    fn deadline(&self) -> Instant {
        self.clock.instant(self.inner().deadline)
    }

    async fn lost(&self) -> LeaseLost {
        let mut state = self.state.subscribe();
        loop {
            if let Some(lost) = self.check() {
                return lost;
            }
            self.changed(&mut state).await;
        }
    }

    /// Waits until the state has changed or the deadline has passed.
    async fn changed(&self, state: &mut watch::Receiver<LeaseState>) {
        // Without a runtime there is neither a timer nor a renewal that could still fail: the client has ended.
        if Handle::try_current().is_err() {
            let _ = state.changed().await;
            return;
        }
        loop {
            tokio::select! {
                // The sender lives at least as long as this borrow.
                _ = state.changed() => return,
                () = sleep_until(self.deadline()) => {}
            }
            // A renewal may have moved the deadline during the sleep. The lease is then alive, and the wait continues.
            if self.check().is_some() {
                return;
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The state is changed in a single place, so a panic elsewhere cannot leave it inconsistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
