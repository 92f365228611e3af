//! Compact: discards the history before a revision.

use etcd_errors::Error;

use crate::{
    kv::KvService,
    request::{Unbound, bound::bindable},
    types::{Invalid, ResponseHeader, Revision},
};

/// Discards the history of the store before a revision: superseded versions and deletions.
///
/// Reads and watches below that revision fail from then on. A second compaction at the same revision fails with
/// `Code::Compacted`.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled: the compaction may still happen.
///
/// # Examples
/// ```
/// use etcd_client_core::Revision;
/// use etcd_client_core::kv::Compact;
///
/// let compact = Compact::new(1000).physical();
/// assert_eq!(compact.revision, Revision::new(1000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "OpCompact")]
#[doc(alias = "CompactOp")]
#[doc(alias = "CompactionRequest")]
#[doc(alias = "CompactionOptions")]
#[must_use = "a Compact does nothing until it is awaited"]
pub struct Compact<B = Unbound> {
    /// The oldest revision that remains readable.
    pub revision: Revision,
    /// Delays the response until the space is free within the database file.
    pub physical: bool,
    pub(crate) binding: B,
}

bindable!(Compact { revision, physical } => CompactResponse, KvService.compact);

impl Compact {
    /// Creates a request that keeps `revision` and everything after it.
    pub fn new(revision: impl Into<Revision>) -> Self {
        Self { revision: revision.into(), physical: false, binding: Unbound }
    }
}

impl<B> Compact<B> {
    /// Waits until the history is removed from the member's database, which may take long for a large one.
    ///
    /// By default the member responds as soon as the cluster has agreed on the compaction.
    #[doc(alias = "WithCompactPhysical")]
    #[doc(alias = "with_physical")]
    pub fn physical(mut self) -> Self {
        self.physical = true;
        self
    }
}

impl Compact {
    /// Validates the request against `limits` without sending it.
    ///
    /// # Errors
    /// Returns an error if the revision is not positive.
    pub fn validate(&self) -> Result<(), Error> {
        if self.revision <= Revision::ZERO {
            return Err(Invalid::new("revision", "must be greater than zero").into());
        }
        Ok(())
    }
}

/// The response to a [`Compact`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactResponse {
    /// The header of the response.
    pub header: ResponseHeader,
}

impl CompactResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
