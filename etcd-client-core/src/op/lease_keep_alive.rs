//! LeaseKeepAlive: keeps a lease alive for as long as its handle is held.

use std::time::Duration;

use etcd_errors::Error;
use tokio::time::Instant;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::LeaseId;
use crate::service::KeptLease;

/// Keeps a lease alive: it is renewed at a third of its time to live, until the last clone of the handle is dropped.
///
/// Awaiting it waits for the first renewal, unless [`granted`](Self::granted) says how long the lease lives anyway. Dropping the
/// future before leaves the lease as it is.
///
/// ```
/// use etcd_client_core::{LeaseId, LeaseKeepAlive};
///
/// let keep = LeaseKeepAlive::new(LeaseId::new(7).unwrap());
/// assert_eq!(keep.spec().id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a LeaseKeepAlive does nothing until it is awaited"]
pub struct LeaseKeepAlive<B = Unbound> {
    pub(super) spec: LeaseKeepAliveSpec,
    pub(super) binding: B,
}

/// What a [`LeaseKeepAlive`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseKeepAliveSpec {
    /// The lease.
    pub id: LeaseId,
    /// What is known of its time; `None` lets the first renewal tell.
    pub granted: Option<LeaseGranted>,
}

/// How long a lease lives, and since when at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseGranted {
    /// The time to live as the server gave it.
    pub ttl: Duration,
    /// When the request was sent that the server gave it for; the lease began no earlier.
    pub sent_at: Instant,
}

impl LeaseGranted {
    /// A lease that lives for `ttl`, given in the answer to a request that was sent at `sent_at`.
    pub fn new(ttl: Duration, sent_at: Instant) -> Self {
        Self { ttl, sent_at }
    }
}

bindable!(LeaseKeepAlive, LeaseKeepAliveSpec => KeptLease, LeaseBound: Lease.keep_alive);

impl LeaseKeepAlive {
    /// Keeps the lease `id` alive.
    pub fn new(id: LeaseId) -> Self {
        LeaseKeepAliveSpec { id, granted: None }.into()
    }
}

impl<B> LeaseKeepAlive<B> {
    /// Says how long the lease lives, as the answer to its grant or to a renewal did, and when that was asked for. Default: it is
    /// renewed once before the handle is there.
    pub fn granted(mut self, ttl: Duration, sent_at: Instant) -> Self {
        self.spec.granted = Some(LeaseGranted::new(ttl, sent_at));
        self
    }

    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}
