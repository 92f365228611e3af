//! The lock that one holder has at a time, in the order of arrival.

use std::time::Duration;

use etcd_client_core::{Compare, Get, GetResponse, Key, Put, Txn, Value};
use tokio::time::timeout;

use crate::{
    Error, Guard, Session, contender_key, contender_prefix,
    place::Place,
    waiting::{Rivals, wait},
};

/// A lock with one holder at a time, granted in the order of arrival.
///
/// **Guarantees.**
/// Of all holders by the rule of etcd's revisions one is the first, and each later one has a higher fence.
/// A waiter is woken by the departure of the one directly ahead, whether that one held, gave up or died, and by nothing else;
/// while nothing happens it sends nothing.
/// Tasks that lock the same name by the same session exclude each other as well: the second one waits. Locking twice in one task
/// waits for ever.
///
/// **What breaks it.**
/// A holder whose lease expired may not know it yet, and go on working: see [`Guard`] for the three ways to be safe.
/// Two processes that share a lease share the lock.
///
/// **Keys.**
/// Those of Go's `concurrency.Mutex` and of `etcdctl lock`: `name/<lease>`. All three wait in one queue.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::time::Duration;
/// use etcd_client_core::Put;
/// use etcd_concurrency::{Error, Mutex, Session};
///
/// let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
/// let mutex = Mutex::new(&session, "jobs/nightly");
///
/// let guard = mutex.lock().await?;
/// let txn = client.txn().when(guard.owned()).then(Put::new("result", "42"));
/// assert!(txn.await?.succeeded());
/// guard.unlock().await?;
///
/// match mutex.lock_within(Duration::from_secs(3)).await {
///     Ok(guard) => guard.unlock().await?,
///     Err(Error::TimedOut) => println!("busy"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Mutex {
    session: Session,
    name: Key,
}

impl Mutex {
    /// The lock of this name, held by this session.
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), name: name.into() }
    }

    /// Waits for the lock.
    ///
    /// Dropping the future leaves the queue: see [`Session`] for when the key is gone.
    ///
    /// # Errors
    /// [`Error::Lost`] when the place in the queue was deleted, [`Error::Expired`] when the session ended, both at once and not only
    /// when it would have been the caller's turn; [`Error::Full`] when the session has too many places; the client's error when
    /// etcd could not be asked, or refused. None of them leaves a key behind.
    pub async fn lock(&self) -> Result<Guard, Error> {
        let slot = self.session.slot(&self.key()).await?;
        let mut place = Place::new(&self.session, self.key(), Some(slot))?;
        let rivals = Rivals::all_gone(contender_prefix(&self.name));
        let entered = place.enter(Value::new(), rivals.ahead()).await?;
        wait(&place, &rivals, entered).await?;
        Ok(Guard::new(place))
    }

    /// Waits for the lock, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after that time, else as [`lock`](Self::lock).
    pub async fn lock_within(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.lock()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Takes the lock if nobody has it or waits for it. One transaction, which writes only if it succeeds.
    ///
    /// # Errors
    /// [`Error::Held`] when somebody has it or waits, else as [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<Guard, Error> {
        let slot = self.session.try_slot(&self.key()).ok_or(Error::Held)?;
        let mut place = Place::new(&self.session, self.key(), Some(slot))?;
        let queue = contender_prefix(&self.name);
        let txn = Txn::new()
            .when(Compare::create_revision(&queue).equal(0).prefix())
            .then(Put::new(place.key(), Value::new()).lease(self.session.lease()))
            .or_else((Get::new(place.key()).keys_only(), Get::new(&queue).keys_only().first_create()));
        let response = place.send(txn).await?;
        if response.succeeded() {
            place.found(response.header.revision);
            return Ok(Guard::new(place));
        }
        // The session's lease may have the lock already: from an attempt whose answer was lost, or from before it was taken over.
        let first = |index| response.get(index).and_then(GetResponse::first);
        match (first(0), first(1)) {
            (Some(own), Some(owner)) if own.create_revision == owner.create_revision => {
                place.found(own.create_revision);
                Ok(Guard::new(place))
            }
            (Some(own), _) => {
                place.found(own.create_revision);
                Err(Error::Held)
            }
            (None, _) => {
                place.forget();
                Err(Error::Held)
            }
        }
    }

    /// The name.
    pub fn name(&self) -> &Key {
        &self.name
    }

    fn key(&self) -> Key {
        contender_key(&self.name, self.session.lease())
    }
}
