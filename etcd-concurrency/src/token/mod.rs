//! Tokens: keys of a session that make a write one-shot, so that no late copy of it is applied.
//!
//! A copy of a request may be applied at any later time, because a hung member or a slow link can keep it for any length of
//! time. A write that compares the token's mod revision, and puts the token in the same transaction, is applied at most once.
//! Putting the token alone "burns" it, which invalidates all copies that were not applied yet.

pub(crate) mod entry_outcome;
pub(crate) mod pool;
pub(crate) mod rules;

use etcd_client_core::{
    Compare, Get, Key, KeyValue, LeaseId, Put, Revision, Txn,
    txn::{OpResponse, TxnResponse},
};
use rules::{Rule, Rules};

/// The value of a token that was spent by its operation.
const SPENT: &[u8] = b"e";

/// The value of a token that was burnt instead.
const BURNT: &[u8] = b"b";

/// A key that one operation of a session uses at a time, with its last known mod revision.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    key: Key,
    /// Zero for a token that was never put.
    known: Revision,
}

/// The status of a token, which shows the outcome of the operation that drew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenStatus {
    /// No copy of the operation was applied, but one still may be.
    Unspent,
    /// A copy was applied at this revision. No other copy will be.
    Spent(Revision),
    /// No copy was applied, and none will be: the token was burnt at this revision.
    Burnt(Revision),
    /// The outcome cannot be determined: the lease ended, or another client deleted or wrote the key.
    Missing,
}

impl Token {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, known: Revision::ZERO }
    }

    /// Returns the token for its next operation, or `None` if its name must not be used again.
    ///
    /// A missing token is never used again with mod revision 0, which would make copies of its first operation valid again.
    pub(crate) fn after(self, status: TokenStatus) -> Option<Self> {
        match status {
            TokenStatus::Unspent => Some(self),
            TokenStatus::Spent(at) | TokenStatus::Burnt(at) => Some(Self { key: self.key, known: at }),
            TokenStatus::Missing => None,
        }
    }

    /// Returns a condition that holds until a copy of the operation is applied or the token is burnt.
    pub(crate) fn unspent(&self) -> Compare {
        Compare::mod_revision(&self.key).equal(self.known)
    }

    /// Returns the put that spends the token, for the transaction that compares [`unspent`](Self::unspent).
    pub(crate) fn spend(&self, lease: LeaseId, rules: Rules) -> Put {
        self.put(SPENT, lease, rules)
    }

    /// Returns a transaction that burns the token if it is unspent, and reads it otherwise.
    pub(crate) fn burn(&self, lease: LeaseId, rules: Rules) -> Txn {
        let burn = self.put(BURNT, lease, rules);
        if rules.enforces(Rule::BurnCompares) {
            Txn::new().when(self.unspent()).then(burn).or_else(self.read())
        } else {
            Txn::new().then(burn)
        }
    }

    pub(crate) fn read(&self) -> Get {
        Get::new(&self.key)
    }

    /// Interprets the response to [`burn`](Self::burn). `revision` is that of the outermost transaction.
    pub(crate) fn burnt(&self, answer: &TxnResponse, revision: Revision) -> Option<TokenStatus> {
        if answer.succeeded() {
            return Some(TokenStatus::Burnt(revision));
        }
        self.seen(answer.responses().first())
    }

    /// Interprets the response to [`read`](Self::read). Returns `None` for a response of another kind.
    pub(crate) fn seen(&self, answer: Option<&OpResponse>) -> Option<TokenStatus> {
        Some(status(self.known, answer?.as_get()?.first()))
    }

    /// Returns a second token of the same name, which the protocol forbids.
    #[cfg(test)]
    pub(crate) fn duplicate(&self) -> Self {
        Self { key: self.key.clone(), known: self.known }
    }

    fn put(&self, value: &'static [u8], lease: LeaseId, rules: Rules) -> Put {
        let put = Put::new(&self.key, value);
        if rules.enforces(Rule::TokenHasLease) { put.lease(lease) } else { put }
    }
}

/// Returns the status of a token whose mod revision was `known` before the operation.
fn status(known: Revision, found: Option<&KeyValue>) -> TokenStatus {
    match found {
        None if known == Revision::ZERO => TokenStatus::Unspent,
        Some(kv) if kv.mod_revision == known => TokenStatus::Unspent,
        Some(kv) if kv.mod_revision > known && kv.value == SPENT => TokenStatus::Spent(kv.mod_revision),
        Some(kv) if kv.mod_revision > known && kv.value == BURNT => TokenStatus::Burnt(kv.mod_revision),
        // A lower revision comes from an older backup, another value from another client.
        None | Some(_) => TokenStatus::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str, modified: i64) -> KeyValue {
        KeyValue::new("__entry/1", value.to_owned()).with_revisions(1, modified)
    }

    #[test]
    fn status_shows_the_outcome_of_the_operation() {
        for (known, kv, expected) in [
            (0, None, TokenStatus::Unspent),
            (0, Some(found("e", 5)), TokenStatus::Spent(5.into())),
            (0, Some(found("b", 5)), TokenStatus::Burnt(5.into())),
            (5, Some(found("e", 5)), TokenStatus::Unspent),
            (5, Some(found("b", 5)), TokenStatus::Unspent),
            (5, Some(found("e", 7)), TokenStatus::Spent(7.into())),
            (5, Some(found("b", 7)), TokenStatus::Burnt(7.into())),
            (5, None, TokenStatus::Missing),
            (5, Some(found("e", 4)), TokenStatus::Missing),
            (5, Some(found("x", 7)), TokenStatus::Missing),
        ] {
            assert_eq!(status(known.into(), kv.as_ref()), expected, "known {known}, found {kv:?}");
        }
    }

    #[test]
    fn reuses_tokens_with_their_last_revision_only() {
        let token = |known: i64| Token { key: "t".into(), known: known.into() };
        for (status, expected) in [
            (TokenStatus::Unspent, Some(token(5))),
            (TokenStatus::Spent(7.into()), Some(token(7))),
            (TokenStatus::Burnt(8.into()), Some(token(8))),
            (TokenStatus::Missing, None),
        ] {
            assert_eq!(token(5).after(status), expected, "{status:?}");
        }
    }
}
