//! The rules of the token protocol, each by its name: the replay tests break one at a time and must notice.

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// An entry puts the token.
    EntrySpendsToken,
    /// A token is attached to the session's lease.
    TokenHasLease,
    /// An entry that is refused burns the token in the same transaction.
    RefusalBurnsToken,
    /// A burn puts the token only while it is unspent.
    BurnCompares,
    /// A key whose creation has an unknown outcome is deleted by the revision that the burn found, not by its lease.
    #[cfg(test)]
    NoDeletionByLease,
    /// The local right to a key is kept until the outcome of the last entry is known.
    SlotUntilSettled,
    /// A token whose operation has an unknown outcome is not used by another one.
    #[cfg(test)]
    TokenUntilSettled,
    /// A key is deleted only if it is still the one that was created.
    ExitCompares,
    /// `ready` of a double barrier is put only while the participant's own key exists.
    ReadyNeedsWaiter,
    /// A value is replaced only if it is still the one that is known.
    PutComparesModRevision,
    /// A session without tokens sends the grant of an entry's lease once.
    GrantIsSentOnce,
    /// An entry that is refused revokes its own lease.
    RefusalRevokesLease,
    /// A place with its own lease is left by revoking that lease, not by deleting the key.
    ExitRevokesLease,
}

/// All of them, outside of tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    #[cfg(test)]
    pub(crate) broken: Option<Rule>,
}

impl Rules {
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "in tests it matters")]
    pub(crate) fn hold(self, _rule: Rule) -> bool {
        true
    }

    #[cfg(test)]
    pub(crate) fn hold(self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}
