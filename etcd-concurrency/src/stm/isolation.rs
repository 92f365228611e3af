//! The isolation levels of transactions.

/// The isolation level of a transaction, from the strictest to the weakest: the levels of Go's `concurrency.Isolation`.
///
/// # Examples
///
/// ```no_run
/// # fn example(client: etcd_client_core::Client) {
/// use etcd_concurrency::{Stm, stm::Isolation};
///
/// let stm = Stm::new(&client).isolation(Isolation::Serializable);
/// # drop(stm);
/// # }
/// ```
#[doc(alias = "WithIsolation")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// All reads are of one revision, and no key that was read **or is written** has changed since. Committed transactions have
    /// the same effect as if they had run one after the other.
    #[default]
    SerializableSnapshot,
    /// All reads are of one revision, and no key that was read has changed since. Keys that are written without being read may
    /// have changed.
    Serializable,
    /// Each key is read once, from any member, and no key that was read has changed at the commit. Different keys may have been
    /// read at different revisions.
    RepeatableReads,
    /// Each key is read once, from any member, and may be stale; later changes are ignored.
    ReadCommitted,
}

impl Isolation {
    /// Returns whether all reads use the revision of the first one.
    pub(super) fn pins_revision(self) -> bool {
        matches!(self, Self::SerializableSnapshot | Self::Serializable)
    }

    /// Returns whether the commit requires that no key that was read has changed.
    pub(super) fn checks_reads(self) -> bool {
        self != Self::ReadCommitted
    }

    /// Returns whether the commit requires that no key that is written has changed since the first read.
    pub(super) fn checks_writes(self) -> bool {
        self == Self::SerializableSnapshot
    }
}
