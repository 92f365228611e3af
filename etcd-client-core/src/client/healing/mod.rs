//! Self-healing leases: after a loss another lease is granted, and its keys are put again.

pub(crate) mod event;
pub(crate) mod heal;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_errors::{Code, Error, ErrorKind, Outcome};
use futures_core::Stream;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

pub(crate) use crate::client::HealingEvent;
use crate::{
    client::healing::event::Events,
    kv::{KvService, Put},
    lease::{LeaseGrant, LeaseKeeper, LeaseLostReason, LeaseRevokeResponse, LeaseService, LeaseState},
    transport::check_runtime,
    types::{Key, LeaseId, Value},
};

/// The number of lost leases to remember. A key may still belong to one of them if the next lease was lost before it was healed.
/// Each of them expires on the server after about its TTL.
const MOST_EARLIER: usize = 16;

/// A builder for a self-healing lease, returned by [`Client::healing_lease`](crate::client::Client::healing_lease). Awaiting it grants the
/// lease.
///
/// # Cancel safety
///
/// Dropping the future stops the renewals. A lease that was granted expires after its TTL, and its keys with it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
///
/// let lease = client.healing_lease(Duration::from_secs(10)).attach("services/web/1", "10.0.0.7:80").await?;
/// println!("registered with lease {}", lease.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a lease is granted only when the builder is awaited"]
pub struct HealingLeaseBuilder {
    lease: Arc<dyn LeaseService>,
    kv: Arc<dyn KvService>,
    ttl: Duration,
    attached: BTreeMap<Key, Value>,
}

impl HealingLeaseBuilder {
    /// Creates a builder for a lease with this TTL on any services. The lease keeps the services alive.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::{sync::Arc, time::Duration};
    /// use etcd_client_core::client::HealingLeaseBuilder;
    ///
    /// let (leases, keys) = (Arc::new(client.clone()), Arc::new(client));
    /// let lease = HealingLeaseBuilder::new(leases, keys, Duration::from_secs(10)).await?;
    /// # drop(lease);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(lease: Arc<dyn LeaseService>, kv: Arc<dyn KvService>, ttl: Duration) -> Self {
        Self { lease, kv, ttl, attached: BTreeMap::new() }
    }

    /// Attaches a key, which is put once the lease is granted. May be called more than once.
    ///
    /// [`HealingLease::attach`] does the same later.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client
    ///     .healing_lease(Duration::from_secs(10))
    ///     .attach("services/web/1", "10.0.0.7:80")
    ///     .attach("services/admin/1", "10.0.0.7:8080")
    ///     .await?;
    /// # drop(lease);
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.attached.insert(key.into(), value.into());
        self
    }

    async fn start(self) -> Result<HealingLease, Error> {
        check_runtime().map_err(|error| error.with_operation("lease grant"))?;
        let kept = LeaseGrant::new(self.ttl).bind(&*self.lease).keep_alive().await?;
        let book = Mutex::new(Book { kept, earlier: VecDeque::new(), attached: BTreeMap::new() });
        let shared = Arc::new(Shared {
            lease: self.lease,
            kv: self.kv,
            ttl: self.ttl,
            book,
            events: Events::new(),
            ended: CancellationToken::new(),
        });
        let healing = AbortOnDropHandle::new(tokio::spawn(heal::run(Arc::clone(&shared))));
        let lease = HealingLease { held: Arc::new(Held { shared, _healing: healing }) };
        for (key, value) in self.attached {
            lease.attach(key, value).await?;
        }
        Ok(lease)
    }
}

impl fmt::Debug for HealingLeaseBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealingLeaseBuilder")
            .field("ttl", &self.ttl)
            .field("attached", &self.attached.len())
            .finish_non_exhaustive()
    }
}

impl IntoFuture for HealingLeaseBuilder {
    type Output = Result<HealingLease, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// A lease with attached keys, such as the registration of a service, that is re-created after a loss.
///
/// When the lease is lost, another lease with a new id is granted, and each attached key is put again if it is missing or still belongs
/// to a lost lease of this handle. Failed steps are retried with a backoff and reported by [`events`](Self::events). A key stays attached
/// while its put fails. A key that another client has put is detached and not overwritten.
///
/// Use it for registrations. The holder of a lock must stop when its lease is lost, and must not continue with another one.
///
/// Clones share the lease and keep the client alive. When the last clone is dropped, the renewals stop and the lease expires.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
/// use futures_util::StreamExt;
///
/// let lease = client.healing_lease(Duration::from_secs(10)).attach("services/web/1", "10.0.0.7:80").await?;
/// let mut events = lease.events();
/// while let Some(event) = events.next().await {
///     println!("{event:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a lease is renewed only while its handle is held"]
pub struct HealingLease {
    held: Arc<Held>,
}

struct Held {
    shared: Arc<Shared>,
    _healing: AbortOnDropHandle<()>,
}

/// The state shared by the handle and the healing task.
#[derive(Debug)]
pub(crate) struct Shared {
    lease: Arc<dyn LeaseService>,
    kv: Arc<dyn KvService>,
    ttl: Duration,
    book: Mutex<Book>,
    events: Events,
    /// Cancelled by [`HealingLease::revoke`], which stops the healing, and when the healing has ended for another reason.
    ended: CancellationToken,
}

#[derive(Debug)]
struct Book {
    kept: LeaseKeeper,
    /// The lost leases, in the order of their loss.
    earlier: VecDeque<LeaseId>,
    attached: BTreeMap<Key, Value>,
}

impl Book {
    /// Replaces the lost lease `old`.
    fn replace(&mut self, old: LeaseId, kept: LeaseKeeper) {
        if self.earlier.len() == MOST_EARLIER {
            self.earlier.pop_front();
        }
        self.earlier.push_back(old);
        self.kept = kept;
    }

    /// Undoes an attachment whose put was not applied, unless the key was attached again or detached since.
    fn restore(&mut self, key: &Key, failed: &Value, before: Option<Value>) {
        if self.attached.get(key) != Some(failed) {
            return;
        }
        match before {
            Some(value) => self.attached.insert(key.clone(), value),
            None => self.attached.remove(key),
        };
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change under this lock is complete when it can panic, so a poisoned lock holds consistent data.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if a loss of this lease is healed: the keys are put again with the next lease.
    fn heals(&self, kept: &LeaseKeeper) -> bool {
        // The state shows a revocation by a keeper before the healing task has noticed it.
        !self.ended.is_cancelled() && !matches!(kept.state(), LeaseState::Lost(lost) if heal::is_final(&lost))
    }
}

/// Returns the error of a call after the healing has ended.
fn not_healed(kept: &LeaseKeeper) -> Error {
    let error = match kept.state() {
        LeaseState::Lost(lost) if lost.reason() == LeaseLostReason::Closed => Error::from(lost),
        LeaseState::Lost(lost) => {
            Error::new(ErrorKind::Server, lost.to_string()).with_code(Code::LeaseNotFound)
        }
        LeaseState::Alive | LeaseState::Late { .. } => {
            let text = format!("lease {} is no longer healed", kept.id());
            Error::new(ErrorKind::Server, text).with_code(Code::LeaseNotFound)
        }
    };
    error.with_operation("put")
}

impl HealingLease {
    /// Returns the id of the current lease. It changes after a loss.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let lease = client.healing_lease(std::time::Duration::from_secs(10)).await?;
    /// println!("lease {}", lease.id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> LeaseId {
        self.held.shared.book().kept.id()
    }

    /// Returns the current lease, with its state and its deadline.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let lease = client.healing_lease(std::time::Duration::from_secs(10)).await?;
    /// println!("expires at {:?} unless renewed", lease.current().deadline());
    /// # Ok(())
    /// # }
    /// ```
    pub fn current(&self) -> LeaseKeeper {
        self.held.shared.book().kept.clone()
    }

    /// Puts a key with the lease, now and again after each loss of the lease. Attaching a key again changes its value.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Client::put`](crate::client::Client::put).
    ///
    /// - If the put was certainly not applied, a new key is not attached. A key that was attached before keeps its earlier value, and
    ///   [`HealingEvent::AttachFailed`] reports it.
    /// - If the put may have been applied, the key is attached with the new value.
    /// - Losing the lease during the call is not an error: the key is put with the next lease.
    /// - After the healing has ended, by [`revoke`](Self::revoke) of another clone or of [`current`](Self::current), the call fails with
    ///   [`Code::LeaseNotFound`], and the key is not attached.
    ///
    /// # Cancel safety
    ///
    /// The key stays attached if the future is dropped, and is put with the next lease. Its put with the current lease may or may not
    /// be applied.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let lease = client.healing_lease(std::time::Duration::from_secs(10)).await?;
    /// lease.attach("services/web/1", "10.0.0.7:80").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn attach(&self, key: impl Into<Key>, value: impl Into<Value>) -> Result<(), Error> {
        let (key, value) = (key.into(), value.into());
        let shared = &self.held.shared;
        let kept = self.current();
        if !shared.heals(&kept) {
            return Err(not_healed(&kept));
        }
        // Attach before the put. If the lease is replaced in between, the healing task reads the attached keys after it has set the
        // new lease, so it either finds this key, or this put uses the new lease.
        let before = shared.book().attached.insert(key.clone(), value.clone());
        loop {
            let kept = self.current();
            let id = kept.id();
            let put = Put::new(key.clone(), value.clone()).lease(id).bind(&*shared.kv).await;
            match put {
                // The lease was lost during the put, and the healing task may have checked the key before it. Put the key again
                // with the current lease. Each iteration requires one more loss, so the loop ends.
                Ok(_) if id != self.id() => {}
                Ok(_) => return Ok(()),
                // The healing task puts the key with the next lease. There is none after a revocation.
                Err(error) if error.is_lease_not_found() && shared.heals(&kept) => return Ok(()),
                Err(error) => {
                    if error.outcome() == Outcome::NotApplied {
                        let known = before.is_some();
                        shared.book().restore(&key, &value, before);
                        if known {
                            shared.report(HealingEvent::AttachFailed { key, error: error.clone() });
                        }
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Detaches a key: it is not put again after the next loss. The key is kept until the current lease ends.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let lease = client.healing_lease(std::time::Duration::from_secs(10)).await?;
    /// lease.attach("services/web/1", "10.0.0.7:80").await?;
    /// lease.detach("services/web/1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn detach(&self, key: impl Into<Key>) {
        self.held.shared.book().attached.remove(&key.into());
    }

    /// Returns a stream of the events from now on. The stream ends when the healing ends. A slow reader misses the oldest events.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let lease = client.healing_lease(std::time::Duration::from_secs(10)).await?;
    /// use etcd_client_core::client::HealingEvent;
    /// use futures_util::StreamExt;
    ///
    /// let mut events = lease.events();
    /// while let Some(event) = events.next().await {
    ///     if let HealingEvent::Lost(lost) = event {
    ///         println!("unregistered: {lost:?}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> impl Stream<Item = HealingEvent> + Send + Unpin + use<> {
        self.held.shared.events.subscribe()
    }

    /// Stops the healing for all clones and revokes the lease, which deletes its keys.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`LeaseKeeper::revoke`].
    ///
    /// # Cancel safety
    ///
    /// The healing stops even if the future is dropped. The revocation may then be applied or not. If not, the lease expires after
    /// its TTL.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let lease = client.healing_lease(std::time::Duration::from_secs(10)).await?;
    /// lease.revoke().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn revoke(self) -> Result<LeaseRevokeResponse, Error> {
        self.held.shared.ended.cancel();
        self.current().revoke().await
    }
}

impl fmt::Debug for HealingLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealingLease").field("current", &self.current()).finish_non_exhaustive()
    }
}
