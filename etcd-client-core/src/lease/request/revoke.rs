//! LeaseRevoke: revokes a lease.

use crate::{
    lease::LeaseService,
    request::{Unbound, bound::bindable},
    types::{LeaseId, ResponseHeader},
};

/// Revokes a lease immediately and deletes the keys attached to it.
///
/// # Errors
/// Fails with `Code::LeaseNotFound` if the lease does not exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lease::LeaseRevoke;
///
/// let revoke = LeaseRevoke::new(LeaseId::new(7).unwrap());
/// assert_eq!(revoke.id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "Revoke")]
#[doc(alias = "LeaseRevokeRequest")]
#[must_use = "a LeaseRevoke does nothing until it is awaited"]
pub struct LeaseRevoke<B = Unbound> {
    /// The lease to revoke.
    pub id: LeaseId,
    pub(crate) binding: B,
}

bindable!(LeaseRevoke { id } => LeaseRevokeResponse, LeaseService.revoke);

impl LeaseRevoke {
    /// Creates a request that revokes the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a [`LeaseRevoke`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRevokeResponse {
    /// The header, with the revision at which the attached keys were deleted.
    pub header: ResponseHeader,
}

impl LeaseRevokeResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
