//! Hash: a checksum of a member's whole database.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{EndpointText, ResponseHeader};

/// Asks one member for a checksum of its whole database, what is stored of leases, users and members included (the RPC
/// `Hash`).
///
/// Members of one cluster may differ in it without being corrupt; [`HashKv`](super::HashKv) is for comparing them. There is
/// no deadline by default once the member is connected: the time grows with the database.
///
/// ```
/// use etcd_client_core::HashBackend;
///
/// let hash = HashBackend::new("http://10.0.0.1:2379");
/// # let _ = hash;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a HashBackend does nothing until it is awaited"]
pub struct HashBackend<B = Unbound> {
    pub(super) spec: HashBackendSpec,
    pub(super) binding: B,
}

/// What a [`HashBackend`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashBackendSpec {
    /// The endpoint of the member to ask; it need not be one of the client's.
    pub endpoint: EndpointText,
}

bindable!(HashBackend, HashBackendSpec => HashBackendResponse, MaintenanceBound: Maintenance.hash);

impl HashBackend {
    /// Asks the member at `endpoint`.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        HashBackendSpec { endpoint: endpoint.into() }.into()
    }
}

impl<B> HashBackend<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`HashBackend`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashBackendResponse {
    /// Who answered.
    pub header: ResponseHeader,
    /// The checksum.
    pub hash: u32,
}

impl HashBackendResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, hash: u32) -> Self {
        Self { header, hash }
    }
}
