//! The protocols that are explored: how entries are guarded, and what is done when an outcome is unknown.

/// When a refused entry spends its token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// Never.
    KeepsToken,
    /// Where it was that of a `try_lock`.
    OfAttemptBurns,
    /// Always, as in the crate.
    Burns,
}

/// What follows an entry with an unknown outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unknown {
    /// The token is burnt, and the key deleted by the revision that the burn found.
    Burn,
    /// The key is deleted by its lease, so many times.
    Sweep(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Protocol {
    /// An entry without an answer is sent once more.
    pub(crate) resends: bool,
    /// An entry compares the token.
    pub(crate) token: bool,
    /// An entry puts the token.
    pub(crate) spends: bool,
    pub(crate) refusal: Refusal,
    /// A refused `try_lock` that was sent twice burns its token before it returns `Held`.
    pub(crate) burns_before_held: bool,
    pub(crate) unknown: Unknown,
    /// A burn compares the token.
    pub(crate) burn_compares: bool,
    /// An exit compares the create revision.
    pub(crate) exit_compares: bool,
}

/// What the crate does: every refused entry burns its token in the same transaction.
pub(crate) const TOKEN_REFUSALS_BURN: Protocol = Protocol {
    resends: true,
    token: true,
    spends: true,
    refusal: Refusal::Burns,
    burns_before_held: false,
    unknown: Unknown::Burn,
    burn_compares: true,
    exit_compares: true,
};

/// Only a refused `try_lock` burns its token in the same transaction.
pub(crate) const TOKEN_NESTED: Protocol =
    Protocol { refusal: Refusal::OfAttemptBurns, ..TOKEN_REFUSALS_BURN };

/// A refused `try_lock` burns its token in a second request.
pub(crate) const TOKEN: Protocol =
    Protocol { refusal: Refusal::KeepsToken, burns_before_held: true, ..TOKEN_REFUSALS_BURN };

/// The algorithm before tokens: two deletions by lease, some seconds apart.
pub(crate) const PRESENT: Protocol = Protocol {
    token: false,
    spends: false,
    refusal: Refusal::KeepsToken,
    unknown: Unknown::Sweep(2),
    ..TOKEN_REFUSALS_BURN
};

/// The same without a second copy of an entry.
pub(crate) const NO_RESEND: Protocol = Protocol { resends: false, ..PRESENT };
