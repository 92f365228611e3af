//! Defragment: releases the unused part of a member's database file.

use crate::{
    maintenance::MaintenanceService,
    request::{Unbound, bound::bindable},
    types::{EndpointText, ResponseHeader},
};

/// Rewrites the database file of one member so that it contains no unused pages.
///
/// The member serves no requests during the defragmentation. Defragment one member after another, and the leader
/// last. Once the member is connected, the call has no deadline by default, because the duration grows with the file.
///
/// # Cancel safety
/// Dropping the future does not stop the defragmentation on the member. Its outcome is unknown.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::Defragment;
///
/// let defragment = Defragment::new("http://10.0.0.1:2379");
/// # let _ = defragment;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Defragment does nothing until it is awaited"]
pub struct Defragment<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client.
    pub endpoint: EndpointText,
    pub(crate) binding: B,
}

bindable!(Defragment { endpoint } => DefragmentResponse, MaintenanceService.defragment);

impl Defragment {
    /// Creates a request that defragments the member at `endpoint`.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        Self { endpoint: endpoint.into(), binding: Unbound }
    }
}

/// The response to a [`Defragment`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefragmentResponse {
    /// The header of the response; `None` from servers up to 3.7.
    pub header: Option<ResponseHeader>,
}

impl DefragmentResponse {
    /// Creates a response.
    pub fn new(header: Option<ResponseHeader>) -> Self {
        Self { header }
    }
}
