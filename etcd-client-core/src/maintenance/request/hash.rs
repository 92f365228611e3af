//! Hash: a checksum of a member's whole database.

use crate::{
    maintenance::MaintenanceService,
    request::{Unbound, bound::bindable},
    types::{EndpointText, ResponseHeader},
};

/// Requests a checksum of the whole database of one member (the RPC `Hash`).
///
/// The database includes the stored leases, users and members. The checksums of healthy members of one cluster can
/// differ; compare members with [`HashKv`](crate::maintenance::HashKv). Once the member is connected, the call has no deadline by
/// default, because the duration grows with the database.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::Hash;
///
/// let hash = Hash::new("http://10.0.0.1:2379");
/// # let _ = hash;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Hash does nothing until it is awaited"]
pub struct Hash<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client.
    pub endpoint: EndpointText,
    pub(crate) binding: B,
}

bindable!(Hash { endpoint } => HashResponse, MaintenanceService.hash);

impl Hash {
    /// Creates a request to the member at `endpoint`.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        Self { endpoint: endpoint.into(), binding: Unbound }
    }
}

/// The response to a [`Hash`](struct@Hash).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashResponse {
    /// The header of the response.
    pub header: ResponseHeader,
    /// The checksum.
    pub hash: u32,
}

impl HashResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, hash: u32) -> Self {
        Self { header, hash }
    }
}
