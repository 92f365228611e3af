//! LeaseList: lists the leases.

use crate::{
    lease::LeaseService,
    request::{Unbound, bound::bindable},
    types::{LeaseId, ResponseHeader},
};

/// Lists all leases.
///
/// # Examples
/// ```
/// use etcd_client_core::lease::LeaseList;
///
/// let list = LeaseList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a LeaseList does nothing until it is awaited"]
pub struct LeaseList<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(LeaseList {} => LeaseListResponse, LeaseService.list);

impl LeaseList {
    /// Creates a request that lists all leases.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to a [`LeaseList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseListResponse {
    /// The header of the response. Its revision takes no part in the ordering of reads and writes.
    pub header: ResponseHeader,
    /// The leases, in no particular order.
    pub leases: Vec<LeaseId>,
}

impl LeaseListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, leases: Vec<LeaseId>) -> Self {
        Self { header, leases }
    }
}
