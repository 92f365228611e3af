//! LeaseKeepAliveOnce: renews a lease once.

use std::time::Duration;

use crate::{
    lease::LeaseService,
    request::{Unbound, bound::bindable},
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
