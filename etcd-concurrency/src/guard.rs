//! What a holder has in hand: the proof that it holds, and how it hears that it does no longer.

use std::{fmt, future::poll_fn, pin::pin, task::Poll};

use etcd_client_core::{Compare, Key, Revision};

use crate::{Error, Session, place::Place};

/// Something that is held: a lock, one side of a read-write lock, or a permit of a semaphore.
///
/// Dropping it gives it back in the background, [`unlock`](Self::unlock) does so and says how it went.
///
/// A holder that is slow, stopped or cut off is a holder no more once its lease has expired, and may not know it yet.
/// Nothing a client does by itself can close that gap; what closes it is the store refusing the write of one who lost:
///
/// ```no_run
/// # use etcd_client_core::{Client, Put};
/// # use etcd_concurrency::{Error, Guard};
/// # async fn example(client: Client, guard: Guard) -> Result<(), Error> {
/// // In etcd: the write is applied only while the lock is held.
/// let txn = client.txn().when(guard.owned()).then(Put::new("result", "42"));
/// if !txn.await?.succeeded() {
///     return Err(Error::NotOwner);
/// }
///
/// // Elsewhere: the other store keeps the highest fence it has seen and refuses a lower one.
/// let fence = guard.fence();
/// # let _ = fence;
///
/// // For what cannot be fenced: the future is dropped when the lock is lost, at the latest when the lease may have expired.
/// guard.scope(async { /* work */ }).await?;
/// # Ok(())
/// # }
/// ```
///
/// It keeps its session alive, and with it the client: dropping the last [`Session`] or
/// [`Client`](etcd_client_core::Client) gives nothing back.
#[must_use = "what is held is given back when its guard is dropped"]
pub struct Guard {
    place: Place,
}

impl Guard {
    pub(crate) fn new(place: Place) -> Self {
        Self { place }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The fence: the revision that created the holder's key. Every later holder has a higher one.
    pub fn fence(&self) -> Revision {
        self.place.fence()
    }

    /// The key by which it is held.
    pub fn key(&self) -> &Key {
        self.place.key()
    }

    /// The session that it is held by.
    pub fn session(&self) -> &Session {
        self.place.session()
    }

    /// Holds while it is held: the condition of a transaction that must not be applied by one who lost it.
    pub fn owned(&self) -> Compare {
        self.place.owned()
    }

    /// Waits until it is lost: [`Error::Lost`] when its key was deleted or the lease of its own entry may have expired,
    /// [`Error::Expired`] when its session ended.
    ///
    /// It watches the key. Where the user may not watch it, only the end of the session is noticed. Cancel safe; it does not keep
    /// the lock.
    pub fn lost(&self) -> impl Future<Output = Error> + Send + 'static + use<> {
        let (end, lease, gone) = (self.session().lost(), self.place.lease_lost(), self.place.gone());
        async move {
            tokio::select! {
                biased;
                end = end => Error::Expired(end),
                () = lease => Error::Lost,
                () = gone => Error::Lost,
            }
        }
    }

    /// Runs a future for as long as it is held: when it is lost, the future is dropped.
    ///
    /// The session's deadline is checked before each poll, so that a process that was frozen beyond it does not go on where it
    /// stopped. What the future did before that is done, and what it spawned goes on.
    ///
    /// # Errors
    /// Those of [`lost`](Self::lost); the future was not polled again.
    pub async fn scope<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let (mut lost, mut future) = (pin!(self.lost()), pin!(future));
        poll_fn(|cx| {
            if let Poll::Ready(error) = lost.as_mut().poll(cx) {
                return Poll::Ready(Err(error));
            }
            if let Err(over) = self.place.check() {
                return Poll::Ready(Err(over));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Gives it back, and says whether it was still held: only the holder's own key is deleted.
    ///
    /// Where the future is dropped or fails, the session gives it back in the background.
    ///
    /// # Errors
    /// [`Error::NotOwner`] when it was lost before, [`Error::Expired`] when the session is over, and the client's error when
    /// it cannot be known.
    pub async fn unlock(self) -> Result<(), Error> {
        self.place.leave().await
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("key", self.key()).field("fence", &self.fence()).finish_non_exhaustive()
    }
}
