//! What a transaction minds of what others do.

/// What a transaction minds of what others do meanwhile, from most to least: the levels of Go's `concurrency.Isolation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// All reads are of one revision, and nothing that was read **or is written** has changed since: transactions are as if one
    /// ran after the other.
    #[default]
    SerializableSnapshot,
    /// All reads are of one revision, and nothing that was read has changed since. What is written without being read may have.
    Serializable,
    /// Each key is read once, from whichever member is asked, and nothing that was read has changed at the commit. Different keys
    /// may have been read at different revisions.
    RepeatableReads,
    /// Each key is read once, from whichever member is asked, possibly as it was some time ago; changes since are not minded.
    ReadCommitted,
}

impl Isolation {
    /// Whether all reads are of the revision of the first one.
    pub(super) fn pins_revision(self) -> bool {
        matches!(self, Self::SerializableSnapshot | Self::Serializable)
    }

    /// Whether what was read must not have changed.
    pub(super) fn minds_reads(self) -> bool {
        self != Self::ReadCommitted
    }

    /// Whether what is written must not have changed since the first read.
    pub(super) fn minds_writes(self) -> bool {
        self == Self::SerializableSnapshot
    }
}
