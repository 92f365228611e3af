//! A lock with up to N concurrent holders.
//!
//! A [`Semaphore`] limits concurrency across processes, for instance the number of parallel uploads.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::num::NonZeroUsize;
//! use etcd_concurrency::{Semaphore, Session};
//!
//! let session = Session::builder(&client).await?;
//! let three = NonZeroUsize::new(3).expect("not zero");
//! let permit = Semaphore::new(&session, "uploads", three).acquire().await?;
//! permit.scope(async { /* upload */ }).await?;
//! permit.unlock().await?;
//! # Ok(())
//! # }
//! ```

use std::{num::NonZeroUsize, time::Duration};

use etcd_client_core::Key;
use tokio::time::timeout;

use crate::{
    Error, Guard, Session,
    keys::contender_prefix,
    queue_entry::acquire::{acquire, try_acquire},
    waiting::WaitSet,
};

/// A lock with up to N concurrent holders, granted in the order of arrival.
///
/// It keeps its session and its client alive.
///
/// **Guarantees.**
/// At most N contenders hold a permit at a time, ordered by etcd's revisions.
/// A waiter counts the departures ahead of it with one watch, and sends one request when it may be its turn.
///
/// **What breaks it.**
/// Contenders that use different numbers of permits.
/// A holder whose lease expired may not know it yet: see [`Guard`]. A fence identifies a holder here, but does not show which of
/// two holders had the same permit later.
/// Each departure is sent to every waiter: hundreds of waiters receive hundreds of events per departure.
///
/// **Keys.**
/// `name/<lease>-<random>`. The Go client has no such recipe.
#[derive(Clone, Debug)]
pub struct Semaphore {
    session: Session,
    queue: Key,
    permits: NonZeroUsize,
}

impl Semaphore {
    /// Creates a handle of the semaphore `name`. All contenders have to use the same number of permits.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// use std::num::NonZeroUsize;
    ///
    /// let three = NonZeroUsize::new(3).expect("not zero");
    /// let semaphore = etcd_concurrency::Semaphore::new(&session, "uploads", three);
    /// # drop(semaphore);
    /// # }
    /// ```
    pub fn new(session: &Session, name: impl Into<Key>, permits: NonZeroUsize) -> Self {
        Self { session: session.clone(), queue: contender_prefix(name), permits }
    }

    /// Acquires a permit. Waits until one is free. A session can hold several permits.
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
    /// # async fn example(semaphore: etcd_concurrency::Semaphore) -> Result<(), etcd_concurrency::Error> {
    /// let permit = semaphore.acquire().await?;
    /// permit.unlock().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&self) -> Result<Guard, Error> {
        acquire(&self.session, &self.queue, &self.wait_set()).await
    }

    /// Acquires a permit, waiting at most for `limit`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TimedOut`] after `limit`, or the errors of [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(semaphore: etcd_concurrency::Semaphore) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let permit = semaphore.try_acquire_for(Duration::from_secs(3)).await?;
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_acquire_for(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.acquire()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Acquires a permit if one is free.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Locked`] if none is free, or the errors of [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind. [`Session`] describes when the key is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(semaphore: etcd_concurrency::Semaphore) -> Result<(), etcd_concurrency::Error> {
    /// let permit = semaphore.try_acquire().await?;
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_acquire(&self) -> Result<Guard, Error> {
        try_acquire(&self.session, &self.queue, &self.wait_set()).await
    }

    fn wait_set(&self) -> WaitSet {
        WaitSet::all_but(self.permits.get() - 1, &self.queue)
    }
}
