//! LeaseKeepAlive: keeps a lease alive while its handle exists.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    lease::{LeaseKeeper, LeaseService},
    request::{Unbound, bound::bindable},
    types::LeaseId,
};

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

/// The TTL of a lease and the earliest time at which it can have started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseGranted {
    /// The TTL that the server returned.
    pub ttl: Duration,
    /// The time at which the request for this TTL was sent. The TTL started no earlier.
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
    /// Sets the TTL that the response to the grant or to a renewal contained, and the time at which that request was
    /// sent. By default the client renews the lease once before it returns the handle.
    pub fn granted(mut self, ttl: Duration, sent_at: Instant) -> Self {
        self.granted = Some(LeaseGranted::new(ttl, sent_at));
        self
    }
}
