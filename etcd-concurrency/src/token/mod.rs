//! Tokens: keys of a session that make a write one-shot, so that no late copy of it is applied.
//!
//! A copy of a request may be applied at any later time: a stopped member or a delayed link keeps it as long as it likes.
//! A write that compares the token's mod revision and puts the token in the same transaction is applied at most once, and
//! putting the token alone ("burning" it) invalidates all copies that were not applied yet.

pub(crate) mod judge;
pub(crate) mod pool;
pub(crate) mod rules;

use etcd_client_core::{Compare, Get, Key, KeyValue, LeaseId, OpResponse, Put, Revision, Txn, TxnResponse};

use rules::{Rule, Rules};

/// The value of a token that was spent by the operation it was drawn for.
const SPENT: &[u8] = b"e";

/// The value of a token that was burnt instead.
const BURNT: &[u8] = b"b";

/// A key that one operation of a session uses at a time, and its mod revision as the session knows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    key: Key,
    /// Zero for a token that was never put.
    known: Revision,
}

/// What a token shows of the operation that it was drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No copy was applied, and one still may be.
    Open,
    /// A copy was applied at this revision. No other will be.
    Applied(Revision),
    /// No copy was applied and none will be: the token was burnt at this revision.
    Void(Revision),
    /// The token is gone, and with it the knowledge: the lease ended, or somebody deleted or wrote the key.
    Missing,
}

impl Token {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, known: Revision::ZERO }
    }

    /// The token after its fate is known; `None` where its name must not be used again.
    ///
    /// A token that is missing is never used with mod revision 0 again: copies of its first use would be valid again.
    pub(crate) fn after(self, fate: Fate) -> Option<Self> {
        match fate {
            Fate::Open => Some(self),
            Fate::Applied(at) | Fate::Void(at) => Some(Self { key: self.key, known: at }),
            Fate::Missing => None,
        }
    }

    /// Holds until a copy of the operation is applied or the token is burnt.
    pub(crate) fn unspent(&self) -> Compare {
        Compare::mod_revision(&self.key).equal(self.known)
    }

    /// Spends the token, in the transaction that compares [`unspent`](Self::unspent).
    pub(crate) fn spend(&self, lease: LeaseId, rules: Rules) -> Put {
        self.put(SPENT, lease, rules)
    }

    /// Burns the token if it is unspent, and reads it otherwise.
    pub(crate) fn burn(&self, lease: LeaseId, rules: Rules) -> Txn {
        let burn = self.put(BURNT, lease, rules);
        if rules.hold(Rule::BurnCompares) {
            Txn::new().when(self.unspent()).then(burn).or_else(self.read())
        } else {
            Txn::new().then(burn)
        }
    }

    pub(crate) fn read(&self) -> Get {
        Get::new(&self.key)
    }

    /// What the answer to [`burn`](Self::burn) says; `revision` is that of the outermost transaction.
    pub(crate) fn burnt(&self, answer: &TxnResponse, revision: Revision) -> Option<Fate> {
        if answer.succeeded() {
            return Some(Fate::Void(revision));
        }
        self.seen(answer.responses().first())
    }

    /// What the answer to [`read`](Self::read) says; `None` for an answer of another kind.
    pub(crate) fn seen(&self, answer: Option<&OpResponse>) -> Option<Fate> {
        Some(fate(self.known, answer?.as_get()?.first()))
    }

    /// A second token of the same name, which the protocol forbids.
    #[cfg(test)]
    pub(crate) fn duplicate(&self) -> Self {
        Self { key: self.key.clone(), known: self.known }
    }

    fn put(&self, value: &'static [u8], lease: LeaseId, rules: Rules) -> Put {
        let put = Put::new(&self.key, value);
        if rules.hold(Rule::TokenHasLease) { put.lease(lease) } else { put }
    }
}

/// What the token's key shows, if its mod revision was `known` before the operation.
fn fate(known: Revision, found: Option<&KeyValue>) -> Fate {
    match found {
        None if known == Revision::ZERO => Fate::Open,
        Some(kv) if kv.mod_revision == known => Fate::Open,
        Some(kv) if kv.mod_revision > known && kv.value == SPENT => Fate::Applied(kv.mod_revision),
        Some(kv) if kv.mod_revision > known && kv.value == BURNT => Fate::Void(kv.mod_revision),
        // A lower revision comes from an older backup, another value from somebody else.
        None | Some(_) => Fate::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str, modified: i64) -> KeyValue {
        KeyValue::new("__entry/1", value.to_owned()).with_revisions(1, modified)
    }

    #[test]
    fn a_token_shows_the_fate_of_its_operation() {
        for (known, kv, expected) in [
            (0, None, Fate::Open),
            (0, Some(found("e", 5)), Fate::Applied(5.into())),
            (0, Some(found("b", 5)), Fate::Void(5.into())),
            (5, Some(found("e", 5)), Fate::Open),
            (5, Some(found("b", 5)), Fate::Open),
            (5, Some(found("e", 7)), Fate::Applied(7.into())),
            (5, Some(found("b", 7)), Fate::Void(7.into())),
            (5, None, Fate::Missing),
            (5, Some(found("e", 4)), Fate::Missing),
            (5, Some(found("x", 7)), Fate::Missing),
        ] {
            assert_eq!(fate(known.into(), kv.as_ref()), expected, "known {known}, found {kv:?}");
        }
    }

    #[test]
    fn a_token_is_used_again_only_under_its_last_revision() {
        let token = |known: i64| Token { key: "t".into(), known: known.into() };
        for (fate, expected) in [
            (Fate::Open, Some(token(5))),
            (Fate::Applied(7.into()), Some(token(7))),
            (Fate::Void(8.into()), Some(token(8))),
            (Fate::Missing, None),
        ] {
            assert_eq!(token(5).after(fate), expected, "{fate:?}");
        }
    }
}
