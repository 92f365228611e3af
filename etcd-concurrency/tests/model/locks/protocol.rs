//! The protocols that are explored: the conditions of entries, and the reaction to an unknown outcome.

/// The rejections that spend the token of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rejection {
    /// None.
    KeepsToken,
    /// Those of a `try_lock`.
    OfAttemptBurns,
    /// All of them, as in the crate.
    Burns,
}

/// The reaction to an entry with an unknown outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unknown {
    /// The token is burnt, and the key deleted by the revision that the burn found.
    Burn,
    /// The key is deleted by its lease, this many times.
    Sweep(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Protocol {
    /// An unanswered entry is retried once.
    pub(crate) retries: bool,
    /// An entry compares the token.
    pub(crate) token: bool,
    /// An entry puts the token.
    pub(crate) spends: bool,
    pub(crate) rejection: Rejection,
    /// A rejected `try_lock` that was sent twice burns its token before it returns `Locked`.
    pub(crate) burns_before_held: bool,
    pub(crate) unknown: Unknown,
    /// A burn compares the token.
    pub(crate) burn_compares: bool,
    /// An exit compares the create revision.
    pub(crate) exit_compares: bool,
}

/// The protocol of the crate: every rejected entry burns its token in the same transaction.
pub(crate) const TOKEN_REJECTIONS_BURN: Protocol = Protocol {
    retries: true,
    token: true,
    spends: true,
    rejection: Rejection::Burns,
    burns_before_held: false,
    unknown: Unknown::Burn,
    burn_compares: true,
    exit_compares: true,
};

/// Only a rejected `try_lock` burns its token in the same transaction.
pub(crate) const TOKEN_NESTED: Protocol =
    Protocol { rejection: Rejection::OfAttemptBurns, ..TOKEN_REJECTIONS_BURN };

/// A rejected `try_lock` burns its token in a second request.
pub(crate) const TOKEN: Protocol =
    Protocol { rejection: Rejection::KeepsToken, burns_before_held: true, ..TOKEN_REJECTIONS_BURN };

/// The algorithm before tokens were introduced: two deletions by lease, some seconds apart.
pub(crate) const SWEEP_BY_LEASE: Protocol = Protocol {
    token: false,
    spends: false,
    rejection: Rejection::KeepsToken,
    unknown: Unknown::Sweep(2),
    ..TOKEN_REJECTIONS_BURN
};

/// The same without a retry of an entry.
pub(crate) const SWEEP_WITHOUT_RETRIES: Protocol = Protocol { retries: false, ..SWEEP_BY_LEASE };
