//! LeaseRevoke: ends a lease.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{LeaseId, ResponseHeader};

/// Ends a lease at once and deletes the keys attached to it.
///
/// An unknown lease is an error of the server (`Code::LeaseNotFound`). Dropping the future leaves the outcome
/// unknown.
///
/// ```
/// use etcd_client_core::{LeaseId, LeaseRevoke};
///
/// let revoke = LeaseRevoke::new(LeaseId::new(7).unwrap());
/// assert_eq!(revoke.spec().id.get(), 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a LeaseRevoke does nothing until it is awaited"]
pub struct LeaseRevoke<B = Unbound> {
    pub(super) spec: LeaseRevokeSpec,
    pub(super) binding: B,
}

/// What a [`LeaseRevoke`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRevokeSpec {
    /// The lease to end.
    pub id: LeaseId,
}

bindable!(LeaseRevoke, LeaseRevokeSpec => LeaseRevokeResponse, LeaseBound: Lease.revoke);

impl LeaseRevoke {
    /// Ends the lease `id`.
    pub fn new(id: LeaseId) -> Self {
        LeaseRevokeSpec { id }.into()
    }
}

impl<B> LeaseRevoke<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`LeaseRevoke`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRevokeResponse {
    /// Who answered; its revision is that of the deletion of the attached keys.
    pub header: ResponseHeader,
}

impl LeaseRevokeResponse {
    /// An answer.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
