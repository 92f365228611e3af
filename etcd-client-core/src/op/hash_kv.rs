//! HashKV: a checksum of a member's keys and values at a revision.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, Limits, Unbound};
use crate::model::{EndpointText, ResponseHeader, Revision};

/// Asks one member for a checksum of all keys and values up to a revision.
///
/// Members that agree on `compact_revision` and on the revision hashed must agree on the checksum. There is no deadline by
/// default once the member is connected: the time grows with the store.
///
/// ```
/// use etcd_client_core::HashKv;
///
/// let hash = HashKv::new("http://10.0.0.1:2379").revision(7);
/// assert_eq!(hash.spec().revision, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a HashKv does nothing until it is awaited"]
pub struct HashKv<B = Unbound> {
    pub(super) spec: HashKvSpec,
    pub(super) binding: B,
}

/// What a [`HashKv`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashKvSpec {
    /// The endpoint of the member to ask; it need not be one of the client's.
    pub endpoint: EndpointText,
    /// The last revision to count in; zero for the current one.
    pub revision: Revision,
}

bindable!(HashKv, HashKvSpec => HashKvResponse, MaintenanceBound: Maintenance.hash_kv);

impl HashKv {
    /// Asks the member at `endpoint` about its current revision.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        HashKvSpec { endpoint: endpoint.into(), revision: Revision::ZERO }.into()
    }
}

impl<B> HashKv<B> {
    /// Counts in only what was written up to `revision`. Default: zero, the current revision.
    pub fn revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.revision = revision.into();
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the revision is below zero.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        if self.spec.revision < Revision::ZERO {
            return Err(Invalid::new("revision", "is below zero").into());
        }
        Ok(())
    }
}

/// The answer to a [`HashKv`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashKvResponse {
    /// Who answered, and the current revision of the store.
    pub header: ResponseHeader,
    /// The checksum.
    pub hash: u32,
    /// The last compaction that the checksum knows of; `None` where the store was never compacted.
    pub compact_revision: Option<Revision>,
    /// The last revision counted in; `None` before 3.6, which does not say.
    pub hash_revision: Option<Revision>,
}

impl HashKvResponse {
    /// An answer about a store that was never compacted.
    pub fn new(header: ResponseHeader, hash: u32) -> Self {
        Self { header, hash, compact_revision: None, hash_revision: None }
    }

    /// Sets the last compaction.
    #[must_use = "returns the changed response"]
    pub fn with_compact_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.compact_revision = Some(revision.into());
        self
    }

    /// Sets the last revision counted in.
    #[must_use = "returns the changed response"]
    pub fn with_hash_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.hash_revision = Some(revision.into());
        self
    }
}
