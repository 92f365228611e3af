//! Compact: gives up the history before a revision.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, Limits, Unbound};
use crate::model::{ResponseHeader, Revision};

/// Discards the history of the store before a revision: superseded versions and deletions.
///
/// Reads and watches below that revision fail from then on. Compacting twice at one revision is an error of
/// the server (`Code::Compacted`). Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{Compact, Revision};
///
/// let compact = Compact::new(1000).physical();
/// assert_eq!(compact.spec().revision, Revision::new(1000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Compact does nothing until it is awaited"]
pub struct Compact<B = Unbound> {
    pub(super) spec: CompactSpec,
    pub(super) binding: B,
}

/// What a [`Compact`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactSpec {
    /// The oldest revision that can still be read afterwards.
    pub revision: Revision,
    /// Whether the answer waits until the space is free within the database file.
    pub physical: bool,
}

bindable!(Compact, CompactSpec => CompactResponse, Bound: Kv.compact);

impl Compact {
    /// Keeps `revision` and what came after it.
    pub fn new(revision: impl Into<Revision>) -> Self {
        CompactSpec { revision: revision.into(), physical: false }.into()
    }
}

impl<B> Compact<B> {
    /// Waits until the history is removed from the member's database; may take long on a large one.
    /// Default: the answer comes when the compaction is agreed on.
    pub fn physical(mut self) -> Self {
        self.spec.physical = true;
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the revision is not positive.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        if self.spec.revision <= Revision::ZERO {
            return Err(Invalid::new("revision", "is not positive").into());
        }
        Ok(())
    }
}

/// The answer to a [`Compact`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactResponse {
    /// Who answered.
    pub header: ResponseHeader,
}

impl CompactResponse {
    /// An answer.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
