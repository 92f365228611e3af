//! The guard of a lock or a permit.

use std::{fmt, future::poll_fn, pin::pin, task::Poll};

use etcd_client_core::{Compare, Key, Revision};

use crate::{Error, Session, queue_entry::QueueEntry};

/// A lock that is held: a [`Mutex`](crate::Mutex), one side of an [`RwLock`](crate::RwLock), or a permit of a
/// [`Semaphore`](crate::Semaphore).
///
/// Dropping it releases the lock in the background. [`unlock`](Self::unlock) waits for the release and returns the result.
/// It keeps its session alive, and with it the client: dropping the last [`Session`] or [`Client`](etcd_client_core::Client)
/// handle does not release the lock.
///
/// A holder that is slow, paused or disconnected loses the lock when its lease expires, possibly without noticing. The client
/// alone cannot close this gap. There are three ways to protect the work:
///
/// ```no_run
/// # use etcd_client_core::{Client, Put};
/// # use etcd_concurrency::{Error, Guard};
/// # async fn example(client: Client, guard: Guard) -> Result<(), Error> {
/// // For data in etcd: etcd applies the write only while the lock is held.
/// let txn = client.txn().when(guard.owned()).then(Put::new("result", "42"));
/// if !txn.await?.succeeded() {
///     return Err(Error::NotOwner);
/// }
///
/// // For data elsewhere: the other store remembers the highest fence and rejects lower ones.
/// let fence = guard.fence();
/// # let _ = fence;
///
/// // For work that cannot be fenced: the future is dropped when the lock is lost, at the latest when the lease may have
/// // expired.
/// guard.scope(async { /* work */ }).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the lock is released when its guard is dropped"]
pub struct Guard {
    entry: QueueEntry,
}

impl Guard {
    pub(crate) fn new(entry: QueueEntry) -> Self {
        Self { entry }
    }

    pub(crate) fn entry(&self) -> &QueueEntry {
        &self.entry
    }

    /// Returns the fence: the revision that created the holder's key. Every later holder has a higher fence.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(guard: etcd_concurrency::Guard) {
    /// println!("send fence {} with every write to the other store", guard.fence());
    /// # }
    /// ```
    #[doc(alias = "fencing token")]
    pub fn fence(&self) -> Revision {
        self.entry.fence()
    }

    /// Returns the key that holds the lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(guard: etcd_concurrency::Guard) {
    /// println!("held with {:?}", guard.key());
    /// # }
    /// ```
    #[doc(alias = "Key")]
    pub fn key(&self) -> &Key {
        self.entry.key()
    }

    /// Returns the session that holds the lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(guard: etcd_concurrency::Guard) {
    /// println!("held with a TTL of {:?}", guard.session().ttl());
    /// # }
    /// ```
    pub fn session(&self) -> &Session {
        self.entry.session()
    }

    /// Returns a condition that holds while the lock is held. Use it in every transaction that requires the lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, Put};
    /// # async fn example(client: Client, guard: etcd_concurrency::Guard) -> Result<(), etcd_concurrency::Error> {
    /// let txn = client.txn().when(guard.owned()).then(Put::new("result", "42")).await?;
    /// println!("applied: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "IsOwner")]
    pub fn owned(&self) -> Compare {
        self.entry.owned()
    }

    /// Waits until the lock is lost, and returns the reason.
    ///
    /// The reason is [`Error::LockLost`] if the key was deleted or the entry's own lease may have expired, and
    /// [`Error::SessionExpired`] if the session ended.
    ///
    /// The future watches the key. If the user may not watch it, only the end of the session is noticed. The future does not keep
    /// the lock.
    ///
    /// # Cancel safety
    ///
    /// The future is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(guard: etcd_concurrency::Guard) {
    /// tokio::select! {
    ///     error = guard.lost() => eprintln!("stop working: {error}"),
    ///     () = async { /* the work */ } => println!("done"),
    /// }
    /// # }
    /// ```
    pub fn lost(&self) -> impl Future<Output = Error> + Send + 'static + use<> {
        let (end, lease, gone) = (self.session().lost(), self.entry.lease_lost(), self.entry.gone());
        async move {
            tokio::select! {
                // Biased: the end of the session also deletes the key, and is the more precise reason.
                biased;
                end = end => Error::SessionExpired(end),
                () = lease => Error::LockLost,
                () = gone => Error::LockLost,
            }
        }
    }

    /// Runs a future while the lock is held. If the lock is lost, the future is dropped.
    ///
    /// The session's deadline is checked before each poll: a process that was paused beyond it does not continue the future. Earlier
    /// side effects of the future are not undone, and tasks that it spawned continue.
    ///
    /// # Errors
    ///
    /// Returns the reason that [`lost`](Self::lost) reports. The future is not polled after the loss.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the inner one. The lock stays held.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(guard: etcd_concurrency::Guard) -> Result<(), etcd_concurrency::Error> {
    /// let rows = guard.scope(async { /* the work */ 42 }).await?;
    /// println!("{rows} rows");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn scope<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        // `lost` is polled first: after a loss the inner future must not run once more.
        let (mut lost, mut future) = (pin!(self.lost()), pin!(future));
        poll_fn(|cx| {
            if let Poll::Ready(error) = lost.as_mut().poll(cx) {
                return Poll::Ready(Err(error));
            }
            // After a pause of the process, the timers behind `lost` may not have fired yet: compare with the clock.
            if let Err(error) = self.entry.check() {
                return Poll::Ready(Err(error));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Releases the lock, and returns whether it was still held. Only the holder's own key is deleted.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotOwner`] if the lock was lost before, [`Error::SessionExpired`] if the session has ended, or the
    /// client's error if the outcome is not known.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped or fails, the session releases the lock in the background.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(guard: etcd_concurrency::Guard) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::Error;
    ///
    /// match guard.unlock().await {
    ///     Ok(()) => println!("released"),
    ///     Err(error) if error.is_lost() => println!("the lock was lost before: {error}"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Unlock")]
    pub async fn unlock(self) -> Result<(), Error> {
        self.entry.leave().await
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("key", self.key()).field("fence", &self.fence()).finish_non_exhaustive()
    }
}
