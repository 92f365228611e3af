//! The rules of the token protocol. The replay tests break one rule at a time, and must notice.

/// A rule of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// An entry puts the token.
    EntrySpendsToken,
    /// A token is attached to the session's lease.
    TokenHasLease,
    /// An entry that is rejected burns the token in the same transaction.
    RejectionBurnsToken,
    /// A burn puts the token only while it is unspent.
    BurnCompares,
    /// A key whose creation has an unknown outcome is deleted by the revision that the burn found, not by its lease.
    #[cfg(test)]
    NoDeletionByLease,
    /// The local right to a key is kept until the outcome of the last entry is known.
    SlotUntilResolved,
    /// A token whose operation has an unknown outcome is not used by another operation.
    #[cfg(test)]
    TokenUntilResolved,
    /// A key is deleted only if it is still the one that was created.
    ExitCompares,
    /// The `ready` key of a double barrier is put only while the participant's own key exists.
    ReadyNeedsWaiter,
    /// A value is replaced only if its mod revision is still the known one.
    PutComparesModRevision,
    /// A session without tokens sends the grant of an entry's lease once.
    GrantIsSentOnce,
    /// An entry that is rejected revokes its own lease.
    RejectionRevokesLease,
    /// An entry with its own lease leaves by revoking that lease, not by deleting the key.
    ExitRevokesLease,
}

/// The rules that a session enforces: all of them, outside of tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    #[cfg(test)]
    pub(crate) broken: Option<Rule>,
}

impl Rules {
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests use it")]
    pub(crate) fn enforces(self, _rule: Rule) -> bool {
        true
    }

    #[cfg(test)]
    pub(crate) fn enforces(self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}
