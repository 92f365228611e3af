//! The lock that a number of holders have at a time.

use std::{num::NonZeroUsize, time::Duration};

use etcd_client_core::Key;
use tokio::time::timeout;

use crate::{
    Error, Guard, Session,
    acquire::{acquire, try_acquire},
    contender_prefix,
    waiting::Rivals,
};

/// A number of permits that many share, granted in the order of arrival.
///
/// **Guarantees.**
/// By the rule of etcd's revisions at most so many hold a permit at a time.
/// A waiter counts those ahead of it as they leave, on one watch, and asks once, when it may be its turn.
///
/// **What breaks it.**
/// Contenders that were told different numbers of permits.
/// Whoever holds a permit after its lease expired may not know it: see [`Guard`]; here a fence tells holders apart, it does not tell
/// which of two is the later holder of one permit.
/// Every waiter is told of every departure, so that hundreds of waiters cost hundreds of events each time.
///
/// **Keys.**
/// `name/<lease>-<random>`; the Go client has no such recipe.
///
/// It keeps its session and its client alive.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::num::NonZeroUsize;
/// use etcd_concurrency::{Semaphore, Session};
///
/// let session = Session::builder(&client).await?;
/// let three = NonZeroUsize::new(3).expect("not zero");
/// let permit = Semaphore::new(&session, "uploads", three).acquire().await?;
/// permit.scope(async { /* upload */ }).await?;
/// permit.unlock().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    session: Session,
    queue: Key,
    permits: NonZeroUsize,
}

impl Semaphore {
    /// The semaphore of this name. All who use it have to give the same number of permits.
    pub fn new(session: &Session, name: impl Into<Key>, permits: NonZeroUsize) -> Self {
        Self { session: session.clone(), queue: contender_prefix(name), permits }
    }

    /// Waits for a permit. A session can have several.
    ///
    /// Dropping the future leaves the queue: see [`Session`] for when the key is gone.
    ///
    /// # Errors
    /// As [`Mutex::lock`](crate::Mutex::lock).
    pub async fn acquire(&self) -> Result<Guard, Error> {
        acquire(&self.session, &self.queue, &self.rivals()).await
    }

    /// Waits for a permit, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after that time, else as [`acquire`](Self::acquire).
    pub async fn acquire_within(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.acquire()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    /// [`Error::Held`] when none is, else as [`acquire`](Self::acquire).
    pub async fn try_acquire(&self) -> Result<Guard, Error> {
        try_acquire(&self.session, &self.queue, &self.rivals()).await
    }

    fn rivals(&self) -> Rivals {
        Rivals::at_most(self.permits.get() - 1, &self.queue)
    }
}
