//! LeaseList: the leases there are.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{LeaseId, ResponseHeader};

/// Lists all leases.
///
/// ```
/// use etcd_client_core::LeaseList;
///
/// let list = LeaseList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a LeaseList does nothing until it is awaited"]
pub struct LeaseList<B = Unbound> {
    pub(super) spec: LeaseListSpec,
    pub(super) binding: B,
}

/// What a [`LeaseList`] asks for: nothing but the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseListSpec {}

bindable!(LeaseList, LeaseListSpec => LeaseListResponse, LeaseBound: Lease.list);

impl LeaseList {
    /// Lists all leases.
    pub fn new() -> Self {
        LeaseListSpec {}.into()
    }
}

impl<B> LeaseList<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`LeaseList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseListResponse {
    /// Who answered. Its revision has no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The leases, in no particular order.
    pub leases: Vec<LeaseId>,
}

impl LeaseListResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, leases: Vec<LeaseId>) -> Self {
        Self { header, leases }
    }
}
