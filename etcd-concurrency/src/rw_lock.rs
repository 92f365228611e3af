//! A lock with many readers or one writer at a time.
//!
//! An [`RwLock`] is fair: a reader waits for the writers that arrived before it, and a writer for all contenders that did.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use etcd_client_core::Put;
//! use etcd_concurrency::{RwLock, Session};
//!
//! let session = Session::builder(&client).await?;
//! let lock = RwLock::new(&session, "config");
//! let reader = lock.read().await?;
//! reader.unlock().await?;
//! let writer = lock.write().await?;
//! let txn = client.txn().when(writer.owned()).then(Put::new("limits", "20"));
//! assert!(txn.await?.succeeded());
//! writer.unlock().await?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use etcd_client_core::Key;
use tokio::time::timeout;

use crate::{
    Error, Guard, Session,
    keys::{below, contender_prefix},
    queue_entry::acquire::{acquire, try_acquire},
    waiting::WaitSet,
};

/// A lock that many readers or one writer hold at a time, granted in the order of arrival.
///
/// A reader waits for the writers that arrived before it. A writer waits for all contenders that arrived before it.
/// It keeps its session and its client alive.
///
/// **Guarantees.**
/// A writer excludes all other holders, ordered by etcd's revisions. Later contenders cannot delay earlier ones, so neither
/// readers nor writers starve.
/// A waiting reader is woken when the last writer ahead leaves, and a waiting writer when the last contender ahead leaves. Each
/// contender that was ahead wakes a waiter at most once.
///
/// **What breaks it.**
/// A holder whose lease expired may not know it yet: see [`Guard`].
/// A task that waits for the write lock while it holds the read lock deadlocks.
/// Go's `RWMutex` does not watch its own key: if its session ends while it waits, it returns as if it held the lock.
///
/// **Keys.**
/// `name/read/...` and `name/write/...`, as Go's `recipe.RWMutex`. Rust and Go programs exclude each other.
#[doc(alias = "RWMutex")]
#[doc(alias = "NewRWMutex")]
#[derive(Clone, Debug)]
pub struct RwLock {
    session: Session,
    queue: Key,
}

impl RwLock {
    /// Creates a handle of the lock `name`, which the session holds once it is acquired.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// let lock = etcd_concurrency::RwLock::new(&session, "config");
    /// # drop(lock);
    /// # }
    /// ```
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), queue: contender_prefix(name) }
    }

    /// Acquires the lock for reading, shared with other readers. Waits for the writers ahead.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Mutex::lock`](crate::Mutex::lock).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(lock: etcd_concurrency::RwLock) -> Result<(), etcd_concurrency::Error> {
    /// let reader = lock.read().await?;
    /// reader.unlock().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RLock")]
    pub async fn read(&self) -> Result<Guard, Error> {
        acquire(&self.session, &self.readers(), &self.reader_wait_set()).await
    }

    /// Acquires the lock for writing, exclusively. Waits for all contenders ahead.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Mutex::lock`](crate::Mutex::lock).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(lock: etcd_concurrency::RwLock) -> Result<(), etcd_concurrency::Error> {
    /// let writer = lock.write().await?;
    /// writer.unlock().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Lock")]
    pub async fn write(&self) -> Result<Guard, Error> {
        acquire(&self.session, &self.writers(), &self.writer_wait_set()).await
    }

    /// Acquires the lock for reading, waiting at most for `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TimedOut`] after `limit`, or the errors of [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(lock: etcd_concurrency::RwLock) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let reader = lock.try_read_for(Duration::from_secs(3)).await?;
    /// # drop(reader);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_read_for(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.read()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Acquires the lock for writing, waiting at most for `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TimedOut`] after `limit`, or the errors of [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(lock: etcd_concurrency::RwLock) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let writer = lock.try_write_for(Duration::from_secs(3)).await?;
    /// # drop(writer);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_write_for(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.write()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Acquires the lock for reading if no writer holds it or waits for it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Locked`] if a writer holds the lock or waits for it, or the errors of [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(lock: etcd_concurrency::RwLock) -> Result<(), etcd_concurrency::Error> {
    /// let reader = lock.try_read().await?;
    /// # drop(reader);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_read(&self) -> Result<Guard, Error> {
        try_acquire(&self.session, &self.readers(), &self.reader_wait_set()).await
    }

    /// Acquires the lock for writing if no contender holds it or waits for it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Locked`] if a contender holds the lock or waits for it, or the errors of [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(lock: etcd_concurrency::RwLock) -> Result<(), etcd_concurrency::Error> {
    /// let writer = lock.try_write().await?;
    /// # drop(writer);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_write(&self) -> Result<Guard, Error> {
        try_acquire(&self.session, &self.writers(), &self.writer_wait_set()).await
    }

    fn readers(&self) -> Key {
        below(&self.queue, "read/")
    }

    fn writers(&self) -> Key {
        below(&self.queue, "write/")
    }

    fn reader_wait_set(&self) -> WaitSet {
        WaitSet::all_before(self.writers())
    }

    fn writer_wait_set(&self) -> WaitSet {
        WaitSet::all_before(&self.queue)
    }
}
