//! LeaseKeepAliveOnce: one renewal of a lease.

use std::time::Duration;

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{LeaseId, ResponseHeader};

/// Renews a lease once: it then lives for its whole time to live again.
///
/// A lease that does not exist, or has expired, is an error (`Code::LeaseNotFound`), as for the other operations. A renewal that
/// may have been done does no harm when it is done again, so it is sent again until its deadline.
///
/// ```
/// use etcd_client_core::{LeaseId, LeaseKeepAliveOnce};
///
/// let renew = LeaseKeepAliveOnce::new(LeaseId::new(7).unwrap());
/// assert_eq!(renew.spec().id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a LeaseKeepAliveOnce does nothing until it is awaited"]
pub struct LeaseKeepAliveOnce<B = Unbound> {
    pub(super) spec: LeaseKeepAliveOnceSpec,
    pub(super) binding: B,
}

/// What a [`LeaseKeepAliveOnce`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseKeepAliveOnceSpec {
    /// The lease to renew.
    pub id: LeaseId,
}

bindable!(LeaseKeepAliveOnce, LeaseKeepAliveOnceSpec => LeaseKeepAliveResponse, LeaseBound: Lease.keep_alive_once);

impl LeaseKeepAliveOnce {
    /// Renews the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        LeaseKeepAliveOnceSpec { id }.into()
    }
}

impl<B> LeaseKeepAliveOnce<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseKeepAliveResponse {
    /// Who answered. Its revision has no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The lease.
    pub id: LeaseId,
    /// How long it lives from the renewal on.
    pub ttl: Duration,
}

impl LeaseKeepAliveResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, id: LeaseId, ttl: Duration) -> Self {
        Self { header, id, ttl }
    }
}
