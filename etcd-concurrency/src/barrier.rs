//! A barrier that blocks all waiters until it is released.
//!
//! One process holds the [`Barrier`], for instance during a migration. Others wait until it is released.
//! [`Barrier::hold_with_session`] ties the barrier to a session, so that it does not outlive a crashed holder.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use etcd_concurrency::{Barrier, Session};
//!
//! let session = Session::builder(&client).await?;
//! let held = Barrier::new(&client, "migration").hold_with_session(&session).await?;
//! // Migrate. If this process dies, the barrier is released when its lease expires.
//! held.delete().await?;
//! # Ok(())
//! # }
//! ```

use etcd_client_core::{Delete, Key, Revision, Value};

use crate::{EphemeralKey, Error, Session, Store, keys::create_key, wait::wait_deleted};

/// A barrier: while it is held, waiters block.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// **Guarantees.**
/// A waiter returns only after the key was deleted or found missing. Waiting uses one read and one watch.
///
/// **What breaks it.**
/// [`hold`](Self::hold) creates a key without a lease, as Go does: the barrier stays held if the process dies.
/// [`hold_with_session`](Self::hold_with_session) ties it to a session instead.
/// A barrier that was released may be held again by the time that a waiter runs.
/// A release deletes the key unconditionally: a copy that is applied late releases a barrier that was held again since.
///
/// **Keys.**
/// The name itself, as Go's `recipe.Barrier`. Rust and Go programs can hold, release and wait on the same barrier.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::Barrier;
///
/// let barrier = Barrier::new(&client, "migration");
/// barrier.hold().await?;
/// // In other processes: barrier.wait().await?
/// barrier.release().await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "NewBarrier")]
#[derive(Clone, Debug)]
pub struct Barrier {
    store: Store,
    key: Key,
}

impl Barrier {
    /// Creates a handle of the barrier `name`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let barrier = etcd_concurrency::Barrier::new(&client, "migration");
    /// # drop(barrier);
    /// # }
    /// ```
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { store: store.into(), key: name.into() }
    }

    /// Holds the barrier until it is released.
    ///
    /// # Errors
    ///
    /// Returns [`Error::KeyExists`] if the barrier is already held, or the client's error. Its outcome shows whether the barrier
    /// may be held.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the barrier may or may not be held, or may still become held later.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(barrier: etcd_concurrency::Barrier) -> Result<(), etcd_concurrency::Error> {
    /// barrier.hold().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Hold")]
    pub async fn hold(&self) -> Result<Revision, Error> {
        create_key(&self.store, &self.key, Value::new()).await
    }

    /// Holds the barrier until the returned key is dropped or deleted, or the session ends.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`EphemeralKey::create`]: [`Error::KeyExists`] if the barrier is already held.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind: see [`Session`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_concurrency::{Barrier, Error, Session};
    /// # async fn example(barrier: Barrier, session: Session) -> Result<(), Error> {
    /// let held = barrier.hold_with_session(&session).await?;
    /// held.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hold_with_session(&self, session: &Session) -> Result<EphemeralKey, Error> {
        EphemeralKey::create(session, &self.key, Value::new()).await
    }

    /// Releases the barrier, even if another process holds it.
    ///
    /// # Errors
    ///
    /// Returns the client's error. Its outcome shows whether the barrier may have been released.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the barrier may or may not be released, or may still be released later.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(barrier: etcd_concurrency::Barrier) -> Result<(), etcd_concurrency::Error> {
    /// barrier.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Release")]
    pub async fn release(&self) -> Result<(), Error> {
        Delete::new(&self.key).bind(self.store.kv()).await?;
        Ok(())
    }

    /// Waits until the barrier is released. Returns immediately if it is not held. Waiting survives outages.
    ///
    /// # Errors
    ///
    /// Returns the client's error, for instance if the user may not read or watch the key.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(barrier: etcd_concurrency::Barrier) -> Result<(), etcd_concurrency::Error> {
    /// barrier.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Wait")]
    pub async fn wait(&self) -> Result<(), Error> {
        wait_deleted(&self.store, &self.key).await
    }
}
