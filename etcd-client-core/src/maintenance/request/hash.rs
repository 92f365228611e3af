//! The requests for a checksum of a member: of its whole database, or of its keys and values.

use etcd_errors::Error;

use crate::{
    maintenance::{MaintenanceService, one_member::parsed},
    request::{Unbound, bound::bindable},
    types::{Endpoint, Invalid, ResponseHeader, Revision},
};

/// Requests a checksum of the whole database of one member (the RPC `Hash`).
///
/// The database includes the stored leases, users and members. The checksums of healthy members of one cluster can
/// differ; compare members with [`HashKv`]. Once the member is connected, the call has no deadline by
/// default, because the duration grows with the database.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::Hash;
///
/// let hash = Hash::new("http://10.0.0.1:2379");
/// # let _ = hash;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a Hash does nothing until it is awaited"]
pub struct Hash<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client. The call fails with the error
    /// if there is one.
    pub endpoint: Result<Endpoint, Error>,
    pub(crate) binding: B,
}

bindable!(Hash { endpoint } => HashResponse, MaintenanceService.hash);

impl Hash {
    /// Creates a request to the member at `endpoint`.
    pub fn new(endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Self {
        Self { endpoint: parsed(endpoint), binding: Unbound }
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

/// Requests a checksum of all keys and values of one member, up to a revision.
///
/// Two members with the same `compact_revision` and the same hash revision must return the same checksum. Once the
/// member is connected, the call has no deadline by default, because the duration grows with the store.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::HashKv;
///
/// let hash = HashKv::new("http://10.0.0.1:2379").revision(7);
/// assert_eq!(hash.revision, 7);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a HashKv does nothing until it is awaited"]
pub struct HashKv<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client. The call fails with the error
    /// if there is one.
    pub endpoint: Result<Endpoint, Error>,
    /// The last revision to include; zero for the current one.
    pub revision: Revision,
    pub(crate) binding: B,
}

bindable!(HashKv { endpoint, revision } => HashKvResponse, MaintenanceService.hash_kv);

impl HashKv {
    /// Creates a request to the member at `endpoint`, for its current revision.
    pub fn new(endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Self {
        Self { endpoint: parsed(endpoint), revision: Revision::ZERO, binding: Unbound }
    }
}

impl<B> HashKv<B> {
    /// Includes only what was written up to `revision`. Zero, the default, is the current revision.
    pub fn revision(mut self, revision: impl Into<Revision>) -> Self {
        self.revision = revision.into();
        self
    }
}

impl HashKv {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the revision is negative.
    pub fn validate(&self) -> Result<(), Error> {
        if self.revision < Revision::ZERO {
            return Err(Invalid::new("revision", "must not be negative").into());
        }
        Ok(())
    }
}

/// The response to a [`HashKv`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashKvResponse {
    /// The header, with the current revision of the store.
    pub header: ResponseHeader,
    /// The checksum.
    pub hash: u32,
    /// The revision of the last compaction that the checksum covers; `None` if the store was never compacted.
    pub compact_revision: Option<Revision>,
    /// The last revision included; `None` from servers before 3.6, which do not report it.
    pub hash_revision: Option<Revision>,
}

impl HashKvResponse {
    /// Creates a response of a store that was never compacted.
    pub fn new(header: ResponseHeader, hash: u32) -> Self {
        Self { header, hash, compact_revision: None, hash_revision: None }
    }

    /// Sets the revision of the last compaction.
    #[must_use = "returns the changed response"]
    pub fn with_compact_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.compact_revision = Some(revision.into());
        self
    }

    /// Sets the last revision included.
    #[must_use = "returns the changed response"]
    pub fn with_hash_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.hash_revision = Some(revision.into());
        self
    }
}
