//! The leadership of an elected candidate.

use std::fmt;

use etcd_client_core::{Compare, Key, Revision, Value};

use crate::{Error, Guard, Session, queue_entry::QueueEntry};

/// The leadership of an [`Election`](crate::Election), until it is resigned, lost or dropped.
///
/// Dropping it resigns in the background. It keeps its session and its client alive.
#[must_use = "a leadership that is dropped is resigned"]
pub struct Leadership {
    guard: Guard,
}

impl Leadership {
    pub(super) fn new(entry: QueueEntry) -> Self {
        Self { guard: Guard::new(entry) }
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Replaces the value that observers see.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotOwner`] if the leadership was lost, [`Error::SessionExpired`] if the session has ended, or the client's
    /// error. Its outcome shows whether the value may have been published.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the value may or may not be published. It never replaces the value of a later proclamation.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leadership: etcd_concurrency::election::Leadership) -> Result<(), etcd_concurrency::Error> {
    /// leadership.proclaim("host-1, ready").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Proclaim")]
    pub async fn proclaim(&self, value: impl Into<Value> + Send) -> Result<(), Error> {
        let value = value.into();
        self.guard.entry().put(value).await
    }

    /// Returns the fence: the revision that created the leader's key. Every later leader has a higher fence.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(leadership: etcd_concurrency::election::Leadership) {
    /// println!("send fence {} with every write to the other store", leadership.fence());
    /// # }
    /// ```
    #[doc(alias = "Rev")]
    pub fn fence(&self) -> Revision {
        self.guard.fence()
    }

    /// Returns the leader's key.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(leadership: etcd_concurrency::election::Leadership) {
    /// println!("elected with {:?}", leadership.key());
    /// # }
    /// ```
    #[doc(alias = "Key")]
    pub fn key(&self) -> &Key {
        self.guard.key()
    }

    /// Returns the session that holds the leadership.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(leadership: etcd_concurrency::election::Leadership) {
    /// println!("leading with a TTL of {:?}", leadership.session().ttl());
    /// # }
    /// ```
    pub fn session(&self) -> &Session {
        self.guard.session()
    }

    /// Returns a condition that holds while the leadership does: see [`Guard::owned`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, Put};
    /// # use etcd_concurrency::{Error, election::Leadership};
    /// # async fn example(client: Client, leadership: Leadership) -> Result<(), Error> {
    /// let txn = client.txn().when(leadership.owned()).then(Put::new("plan", "...")).await?;
    /// println!("applied: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    pub fn owned(&self) -> Compare {
        self.guard.owned()
    }

    /// Waits until the leadership is lost, and returns the reason: see [`Guard::lost`].
    ///
    /// # Cancel safety
    ///
    /// The future is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leadership: etcd_concurrency::election::Leadership) {
    /// tokio::select! {
    ///     error = leadership.lost() => eprintln!("stop leading: {error}"),
    ///     () = async { /* lead */ } => println!("done"),
    /// }
    /// # }
    /// ```
    pub fn lost(&self) -> impl Future<Output = Error> + Send + 'static + use<> {
        self.guard.lost()
    }

    /// Runs a future while the leadership is held, and drops it when the leadership is lost: see [`Guard::scope`].
    ///
    /// # Errors
    ///
    /// Returns the reason that [`lost`](Self::lost) reports. The future is not polled after the loss.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the inner one. The leadership stays held.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leadership: etcd_concurrency::election::Leadership) -> Result<(), etcd_concurrency::Error> {
    /// leadership.scope(async { /* lead */ }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn scope<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.guard.scope(future).await
    }

    /// Gives up the leadership.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Guard::unlock`]: [`Error::NotOwner`] if the leadership was lost before.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped or fails, the session gives up the leadership in the background.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leadership: etcd_concurrency::election::Leadership) -> Result<(), etcd_concurrency::Error> {
    /// leadership.resign().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Resign")]
    pub async fn resign(self) -> Result<(), Error> {
        self.guard.unlock().await
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership")
            .field("key", self.key())
            .field("fence", &self.fence())
            .finish_non_exhaustive()
    }
}
