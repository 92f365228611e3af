//! The settings of a session.

use std::{fmt, pin::Pin, time::Duration};

use etcd_client_core::{
    ErrorKind, LeaseId,
    lease::{LeaseGrant, LeaseKeepAlive, LeaseKeeper},
};
use futures_core::future::BoxFuture;

use super::{Session, Tokens};
use crate::{Error, Store};

/// The default lease TTL: `defaultSessionTTL` in client/v3/concurrency/session.go.
const TTL: Duration = Duration::from_secs(60);

/// A builder for a [`Session`]. Awaiting it starts the session.
///
/// Dropping the future may leave a lease behind, which expires.
///
/// # Errors
///
/// Awaiting it returns the client's error if the lease could not be granted or renewed. It fails with
/// [`ErrorKind::InvalidConfig`] if the store has no lease service.
///
/// # Panics
///
/// Starting a session panics outside of a Tokio runtime.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::time::Duration;
/// use etcd_concurrency::Session;
///
/// let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
/// println!("lease {} with a TTL of {:?}", session.lease(), session.ttl());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SessionOption")]
#[must_use = "a session starts when its builder is awaited"]
pub struct SessionBuilder {
    store: Store,
    ttl: Duration,
    lease: Option<LeaseId>,
    tokens: Tokens,
    until: BoxFuture<'static, ()>,
}

impl SessionBuilder {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            ttl: TTL,
            lease: None,
            tokens: Tokens::default(),
            until: Box::pin(std::future::pending()),
        }
    }

    /// Sets the lease TTL: the time that other contenders wait for a process that died. The default is 60 s.
    ///
    /// The server raises a TTL that is below its minimum, which is 2 s by default. [`Session::ttl`] returns the granted TTL.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let session = etcd_concurrency::Session::builder(&client).ttl(Duration::from_secs(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "WithTTL")]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Takes over an existing lease instead of granting a new one. The TTL is then that of the lease.
    ///
    /// The session finds everything that is held through the lease: locking a mutex that the lease holds succeeds immediately.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, LeaseId};
    /// # async fn example(client: Client, lease: LeaseId) -> Result<(), etcd_concurrency::Error> {
    /// // `lease` was returned by `Session::orphan` in an earlier process.
    /// let session = etcd_concurrency::Session::builder(&client).lease(lease).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "WithLease")]
    pub fn lease(mut self, id: LeaseId) -> Self {
        self.lease = Some(id);
        self
    }

    /// Sets where the session keeps its tokens: keys that ensure that delayed copies of a write are not applied. The default is below
    /// `__entry/`.
    ///
    /// A role that uses recipes needs permission to read and write this prefix, in addition to the keys of the recipes. If it
    /// cannot be granted, use [`Tokens::lease_per_entry`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Session, session::Tokens};
    ///
    /// let session = Session::builder(&client).tokens(Tokens::below("team/entries/")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// Ends the session when `future` completes, without revoking its lease, as [`Session::orphan`] does. The default is never.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::Session;
    ///
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let session = Session::builder(&client).until(async { drop(stopped.await) }).await?;
    /// drop(stop); // ends the session
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "WithContext")]
    pub fn until(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Box::pin(future);
        self
    }

    /// Starts the session on a lease that is already kept alive, for instance by a mock of the lease service.
    ///
    /// The settings [`ttl`](Self::ttl) and [`lease`](Self::lease) have no effect.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    /// use etcd_concurrency::Session;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
    /// let session = Session::builder(&client).start(lease);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(self, lease: LeaseKeeper) -> Session {
        Session::start(self.store, lease, self.tokens, self.until)
    }
}

impl IntoFuture for SessionBuilder {
    type Output = Result<Session, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            // A grant on the store's own service, so that wrappers and mocks see it.
            let leases = self.store.leases().ok_or_else(no_lease_service)?;
            let lease = match self.lease {
                Some(id) => LeaseKeepAlive::new(id).bind(leases).await?,
                None => LeaseGrant::new(self.ttl).bind(leases).keep_alive().await?,
            };
            Ok(self.start(lease))
        })
    }
}

fn no_lease_service() -> Error {
    let text =
        "the store has no lease service: set Store::with_leases, or call SessionBuilder::start with a lease";
    etcd_client_core::Error::new(ErrorKind::InvalidConfig, text).into()
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("ttl", &self.ttl)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
