//! Leases that heal themselves: lost, they are granted anew and their keys put again.

mod event;
mod heal;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_errors::{Error, Outcome};
use futures_core::Stream;
use tokio::sync::broadcast;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

pub use self::event::HealingEvent;
use crate::{
    model::{Key, LeaseId, Value},
    op::{LeaseGrant, LeaseRevokeResponse, Put},
    service::{KeptLease, Kv, Lease},
    transport::channel::check_runtime,
};

/// What a reader of the events may have left unread; older ones are dropped.
const MOST_EVENTS: usize = 64;

/// How many lost leases are remembered. A key may still belong to one of them where the next was lost before it was healed; each
/// expires on the server within about its time to live.
const MOST_EARLIER: usize = 16;

/// A lease that heals itself, to be: what [`Client::healing_lease`](crate::Client::healing_lease) gives. Awaiting it grants the lease.
#[derive(Clone)]
#[must_use = "nothing is granted until it is awaited"]
pub struct HealingLeaseBuilder {
    lease: Arc<dyn Lease>,
    kv: Arc<dyn Kv>,
    ttl: Duration,
    attached: BTreeMap<Key, Value>,
}

impl HealingLeaseBuilder {
    /// A lease of `ttl` on any services, which it holds for as long as it lives.
    pub fn new(lease: Arc<dyn Lease>, kv: Arc<dyn Kv>, ttl: Duration) -> Self {
        Self { lease, kv, ttl, attached: BTreeMap::new() }
    }

    /// Puts a key as soon as the lease is there, as [`HealingLease::attach`] does. May be given more than once.
    pub fn attach(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.attached.insert(key.into(), value.into());
        self
    }

    async fn start(self) -> Result<HealingLease, Error> {
        check_runtime().map_err(|error| error.with_operation("lease grant"))?;
        let kept = LeaseGrant::new(self.ttl).bind(&*self.lease).keep_alive().await?;
        let (events, _) = broadcast::channel(MOST_EVENTS);
        let book = Mutex::new(Book { kept, earlier: VecDeque::new(), attached: BTreeMap::new() });
        let shared = Arc::new(Shared {
            lease: self.lease,
            kv: self.kv,
            ttl: self.ttl,
            book,
            events,
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

/// A lease with keys, such as the registration of a service, that is there again after it was lost.
///
/// When the lease is lost, another one with a new id is granted, and each attached key is put again where it is missing or still
/// belongs to a lost lease of this handle. Failed steps are retried with a backoff and reported by [`events`](Self::events); a key
/// stays attached while its put fails. A key that another client has put is left alone and is not attached any more. Use it for keys
/// such as registrations; the holder of a lock must stop when its lease is lost, not get another.
///
/// Clones share it. It holds its client; when the last clone is dropped the renewals stop, and the lease expires by itself.
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

/// What the handle and the task share.
#[derive(Debug)]
struct Shared {
    lease: Arc<dyn Lease>,
    kv: Arc<dyn Kv>,
    ttl: Duration,
    book: Mutex<Book>,
    events: broadcast::Sender<HealingEvent>,
    /// Revoked: nothing is healed any more.
    ended: CancellationToken,
}

#[derive(Debug)]
struct Book {
    kept: KeptLease,
    /// The leases that were lost before, the latest last.
    earlier: VecDeque<LeaseId>,
    attached: BTreeMap<Key, Value>,
}

impl Book {
    /// Goes on with another lease after `old` was lost.
    fn replace(&mut self, old: LeaseId, kept: KeptLease) {
        if self.earlier.len() == MOST_EARLIER {
            self.earlier.pop_front();
        }
        self.earlier.push_back(old);
        self.kept = kept;
    }

    /// Takes back an attachment whose put was not applied, unless the key was attached again or detached since.
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
        // What it holds is replaced as a whole: a panic elsewhere leaves nothing half done.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HealingLease {
    /// The lease that is there now; another one after it was lost.
    pub fn id(&self) -> LeaseId {
        self.held.shared.book().kept.id()
    }

    /// The lease that is there now, with its state and its deadline.
    pub fn current(&self) -> KeptLease {
        self.held.shared.book().kept.clone()
    }

    /// Puts a key with this lease, now and again after each loss of the lease. Attaching it again changes its value.
    ///
    /// # Errors
    /// Those of [`Client::put`](crate::Client::put). Where the put was certainly not applied, a new key is not attached, and a key
    /// that was attached before keeps its earlier value; [`HealingEvent::AttachFailed`] reports the latter. Where the put may have been
    /// applied, the key is attached with the new value. Losing the lease during the call is not an error: the key is put with the
    /// next lease.
    pub async fn attach(&self, key: impl Into<Key>, value: impl Into<Value>) -> Result<(), Error> {
        let (key, value) = (key.into(), value.into());
        let shared = &self.held.shared;
        // In this order: a lease that replaces this one has its keys looked up after it is there.
        let before = shared.book().attached.insert(key.clone(), value.clone());
        loop {
            let id = self.id();
            let put = Put::new(key.clone(), value.clone()).lease(id).bind(&*shared.kv).await;
            match put {
                // The key was put with a lease that is lost: the healing may have looked at it before. Each turn needs one more loss.
                Ok(_) if id != self.id() => {}
                Ok(_) => return Ok(()),
                Err(error) if error.is_lease_not_found() => return Ok(()),
                Err(error) => {
                    if error.outcome() == Outcome::NotApplied {
                        let known = before.is_some();
                        shared.book().restore(&key, &value, before);
                        if known {
                            shared.tell(HealingEvent::AttachFailed { key, error: error.clone() });
                        }
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Puts a key no more. It stays as it is until the present lease ends.
    pub fn detach(&self, key: impl Into<Key>) {
        self.held.shared.book().attached.remove(&key.into());
    }

    /// What happens to the lease from now on. It ends with the healing; a reader that is slow misses the oldest events.
    pub fn events(&self) -> impl Stream<Item = HealingEvent> + Send + Unpin + use<> {
        let events = self.held.shared.events.subscribe();
        Box::pin(futures_util::stream::unfold(events, |mut events| async move {
            loop {
                match events.recv().await {
                    Ok(event) => return Some((event, events)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }

    /// Ends it for all clones: no healing any more, and the lease is revoked, which deletes its keys.
    ///
    /// # Errors
    /// Those of [`KeptLease::revoke`].
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
