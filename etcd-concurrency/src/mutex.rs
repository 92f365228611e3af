//! A lock with one holder at a time.
//!
//! Create a [`Mutex`] from a [`Session`] and lock it. The returned [`Guard`] releases the lock when it is dropped, and protects
//! writes against a lock that was lost without notice.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::time::Duration;
//! use etcd_client_core::Put;
//! use etcd_concurrency::{Mutex, Session};
//!
//! let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
//! let guard = Mutex::new(&session, "jobs/nightly").lock().await?;
//! // etcd applies the write only while the lock is held.
//! let txn = client.txn().when(guard.owned()).then(Put::new("result", "42"));
//! assert!(txn.await?.succeeded());
//! guard.unlock().await?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use etcd_client_core::{Compare, Get, Key, Value, kv::GetResponse};
use tokio::time::timeout;

use crate::{
    Error, Guard, Session,
    keys::contender_prefix,
    queue_entry::{CreateOutcome, QueueEntry},
    waiting::{WaitSet, wait},
};

/// A lock with one holder at a time, granted in the order of arrival.
///
/// It keeps its session and its client alive.
///
/// **Guarantees.**
/// Holders are ordered by etcd's revisions: each later holder has a higher fence.
/// A waiter is woken only when the contender directly ahead leaves, by unlocking, giving up or dying. Otherwise it sends nothing.
/// Tasks that lock the same name through the same session exclude each other as well: the second one waits. Locking twice in one
/// task deadlocks.
///
/// **What breaks it.**
/// A holder whose lease expired may not know it yet and continue to work. [`Guard`] has three ways to stay safe.
/// Two processes that share a lease share the lock.
/// A lock `a` waits for the holders of locks below it, such as `a/b`: see [`names_collide`](crate::keys::names_collide).
///
/// **Keys.**
/// `name/<lease>`, as Go's `concurrency.Mutex` and `etcdctl lock`. All three wait in one queue.
///
/// # Examples
///
/// ```no_run
/// # async fn example(session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
/// use std::time::Duration;
/// use etcd_concurrency::{Error, Mutex};
///
/// let mutex = Mutex::new(&session, "jobs/nightly");
/// match mutex.try_lock_for(Duration::from_secs(3)).await {
///     Ok(guard) => guard.unlock().await?,
///     Err(Error::TimedOut) => println!("busy"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "NewMutex")]
#[doc(alias = "NewLocker")]
#[derive(Clone, Debug)]
pub struct Mutex {
    session: Session,
    name: Key,
}

impl Mutex {
    /// Creates a handle of the lock `name`, which the session holds once it is locked.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// let mutex = etcd_concurrency::Mutex::new(&session, "jobs/nightly");
    /// # drop(mutex);
    /// # }
    /// ```
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), name: name.into() }
    }

    /// Acquires the lock. Waits until it is free.
    ///
    /// # Errors
    ///
    /// - [`Error::LockLost`] if the key of the waiter was deleted, and [`Error::SessionExpired`] if the session ended. Both are
    ///   returned immediately, not only when the lock becomes free.
    /// - [`Error::KeyExists`] if the session's key in the queue is attached to another lease.
    /// - [`Error::CapacityExceeded`] if the session has its maximum number of entries.
    /// - The client's error if etcd could not be reached or rejected the request.
    ///
    /// No error leaves a key behind.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mutex: etcd_concurrency::Mutex) -> Result<(), etcd_concurrency::Error> {
    /// let guard = mutex.lock().await?;
    /// println!("locked with fence {}", guard.fence());
    /// guard.unlock().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Lock")]
    pub async fn lock(&self) -> Result<Guard, Error> {
        let mut entry = QueueEntry::contend(&self.session, &self.name, true).await?;
        let wait_set = WaitSet::all_before(contender_prefix(&self.name));
        let entered = entry.enter(Value::new(), wait_set.query()).await?;
        wait(&entry, &wait_set, entered).await?;
        Ok(Guard::new(entry))
    }

    /// Acquires the lock, waiting at most for `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TimedOut`] after `limit`, or the errors of [`lock`](Self::lock).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mutex: etcd_concurrency::Mutex) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let guard = mutex.try_lock_for(Duration::from_secs(3)).await?;
    /// guard.unlock().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_lock_for(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.lock()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Acquires the lock if it is free and no contender waits for it.
    ///
    /// It sends one transaction. If the lock is taken, the transaction writes only the session's token.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Locked`] if the lock is held or a contender waits for it, or the errors of [`lock`](Self::lock).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mutex: etcd_concurrency::Mutex) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::Error;
    ///
    /// match mutex.try_lock().await {
    ///     Ok(guard) => guard.unlock().await?,
    ///     Err(Error::Locked) => println!("another holder has the lock"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "TryLock")]
    pub async fn try_lock(&self) -> Result<Guard, Error> {
        let mut entry = QueueEntry::contend(&self.session, &self.name, false).await?;
        let queue = contender_prefix(&self.name);
        // Over a range, the compare holds only if there is no key: every existing key has a create revision above 0.
        let empty = Compare::create_revision(&queue).equal(0).prefix();
        let first = Get::new(&queue).keys_only().first_create();
        match entry.create_if(empty, Value::new(), Vec::new(), Some(first)).await? {
            CreateOutcome::Created(_) => Ok(Guard::new(entry)),
            // From an earlier copy of this request, or from before the session took the lease over.
            CreateOutcome::Found(own, first) => {
                let first = first.first().and_then(GetResponse::first);
                let holds = first.is_some_and(|first| first.create_revision == own.create_revision);
                if holds { Ok(Guard::new(entry)) } else { Err(Error::Locked) }
            }
            CreateOutcome::Rejected(_) => Err(Error::Locked),
        }
    }

    /// Returns the name.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(mutex: etcd_concurrency::Mutex) {
    /// println!("lock {:?}", mutex.name());
    /// # }
    /// ```
    pub fn name(&self) -> &Key {
        &self.name
    }
}
