//! The requests that renew a lease: once, or in the background for as long as a handle exists.

use std::{pin::Pin, time::Duration};

use etcd_errors::Error;
use tokio::time::Instant;

use crate::{
    lease::{LeaseGrant, LeaseKeeper, LeaseService},
    request::{Bound, Unbound, bound::bindable},
    types::{LeaseId, ResponseHeader},
};

/// Renews a lease once, which restarts its TTL.
///
/// Renewing twice is harmless, so the client retries a renewal of unknown outcome until its deadline.
///
/// # Errors
/// Fails with `Code::LeaseNotFound` if the lease does not exist or has expired, like the other lease operations.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lease::LeaseKeepAliveOnce;
///
/// let renew = LeaseKeepAliveOnce::new(LeaseId::new(7).unwrap());
/// assert_eq!(renew.id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "KeepAliveOnce")]
#[must_use = "a LeaseKeepAliveOnce does nothing until it is awaited"]
pub struct LeaseKeepAliveOnce<B = Unbound> {
    /// The lease to renew.
    pub id: LeaseId,
    pub(crate) binding: B,
}

bindable!(LeaseKeepAliveOnce { id } => LeaseKeepAliveResponse, LeaseService.keep_alive_once);

impl LeaseKeepAliveOnce {
    /// Creates a request that renews the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseKeepAliveResponse {
    /// The header of the response. Its revision takes no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The renewed lease.
    pub id: LeaseId,
    /// The TTL, which starts at the renewal.
    pub ttl: Duration,
}

impl LeaseKeepAliveResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, id: LeaseId, ttl: Duration) -> Self {
        Self { header, id, ttl }
    }
}

/// Keeps a lease alive until the last clone of the handle is dropped.
///
/// The client renews the lease whenever a third of its TTL has passed.
///
/// Awaiting the operation waits for the first renewal, unless the TTL is known from [`granted`](Self::granted).
///
/// # Cancel safety
/// Dropping the future before it completes neither ends nor shortens the lease.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lease::LeaseKeepAlive;
///
/// let keep = LeaseKeepAlive::new(LeaseId::new(7).unwrap());
/// assert_eq!(keep.id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "KeepAlive")]
#[doc(alias = "LeaseKeepAliveRequest")]
#[must_use = "a LeaseKeepAlive does nothing until it is awaited"]
pub struct LeaseKeepAlive<B = Unbound> {
    /// The lease to keep alive.
    pub id: LeaseId,
    /// The known TTL and its start; `None` takes them from the first renewal.
    pub granted: Option<LeaseGranted>,
    pub(crate) binding: B,
}

/// A TTL that a server returned, and the time at which the request for it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseGranted {
    /// The TTL that the server returned.
    pub ttl: Duration,
    /// The time at which the request for this TTL was sent. The TTL cannot have started earlier.
    pub sent_at: Instant,
}

impl LeaseGranted {
    /// Creates the description of a TTL that the server returned for a request sent at `sent_at`.
    pub fn new(ttl: Duration, sent_at: Instant) -> Self {
        Self { ttl, sent_at }
    }
}

bindable!(LeaseKeepAlive { id, granted } => LeaseKeeper, LeaseService.keep_alive);

impl LeaseKeepAlive {
    /// Creates a request that keeps the lease `id` alive.
    pub fn new(id: LeaseId) -> Self {
        Self { id, granted: None, binding: Unbound }
    }
}

impl<B> LeaseKeepAlive<B> {
    /// Sets the TTL from the response to a grant or a renewal, and the time at which that request was sent. By default
    /// the client renews the lease once to learn its TTL before it returns the handle.
    pub fn granted(mut self, ttl: Duration, sent_at: Instant) -> Self {
        self.granted = Some(LeaseGranted::new(ttl, sent_at));
        self
    }
}

/// Grants a lease and keeps it alive; returned by [`LeaseGrant::keep_alive`].
///
/// # Cancel safety
/// Dropping the future may leave a lease behind that is not renewed. It expires by itself.
#[derive(Clone, Debug)]
#[must_use = "a GrantKeptAlive does nothing until it is awaited"]
pub struct GrantKeptAlive<'a> {
    grant: LeaseGrant<Bound<'a, dyn LeaseService>>,
}

impl<'a> LeaseGrant<Bound<'a, dyn LeaseService>> {
    /// Grants the lease and keeps it alive. The deadline of the lease counts from before the grant was sent.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
    /// client.put("alive", "yes").lease(lease.id()).await?;
    /// tokio::select! {
    ///     lost = lease.lost() => eprintln!("stop working: {lost}"),
    ///     () = std::future::pending() => {} // the work
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_alive(self) -> GrantKeptAlive<'a> {
        GrantKeptAlive { grant: self }
    }
}

impl<'a> IntoFuture for GrantKeptAlive<'a> {
    type Output = Result<LeaseKeeper, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let service = self.grant.binding.service;
        let (grant, options) = self.grant.unbind();
        Box::pin(async move {
            let sent_at = Instant::now();
            let lease = service.grant(grant, options.clone()).await?;
            let keep = LeaseKeepAlive::new(lease.id).granted(lease.ttl, sent_at);
            service.keep_alive(keep, options).await
        })
    }
}
