//! The outcome of an entry, determined from its token and its key. Pure.

use etcd_client_core::{KeyValue, LeaseId, Revision};

use super::TokenStatus;

/// The outcome of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryOutcome {
    /// The key was created at this revision and still exists.
    Created(Revision),
    /// The key was created at this revision, and another client has deleted it since.
    Deleted(Revision),
    /// The entry created nothing, and the session's lease has the key from before.
    Found(KeyValue),
    /// The entry created nothing, and will not create anything.
    Rejected,
    /// The outcome is unknown. The lease has the key, which was created at this revision.
    Stray(Revision),
    /// The outcome is unknown, and the lease does not have the key.
    Gone,
    /// A copy of the entry may still be applied.
    Pending,
}

/// Determines the outcome from the token and the key `own`, both read in one transaction.
pub(crate) fn entry_outcome(status: TokenStatus, own: Option<&KeyValue>, lease: LeaseId) -> EntryOutcome {
    let ours = own.filter(|kv| kv.lease == Some(lease));
    match (status, ours) {
        (TokenStatus::Spent(at), _) if own.is_some_and(|kv| kv.create_revision == at) => {
            EntryOutcome::Created(at)
        }
        (TokenStatus::Spent(at), _) => EntryOutcome::Deleted(at),
        (TokenStatus::Burnt(_), Some(kv)) => EntryOutcome::Found(kv.clone()),
        (TokenStatus::Burnt(_), None) => EntryOutcome::Rejected,
        (TokenStatus::Missing, Some(kv)) => EntryOutcome::Stray(kv.create_revision),
        (TokenStatus::Missing, None) => EntryOutcome::Gone,
        (TokenStatus::Unspent, _) => EntryOutcome::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(number: i64) -> LeaseId {
        LeaseId::new(number).expect("not zero")
    }

    fn key(created: i64, owner: i64) -> KeyValue {
        KeyValue::new("k", "").with_revisions(created, created).with_lease(Some(lease(owner)))
    }

    #[test]
    fn determines_outcomes_from_token_and_key() {
        let ours = lease(1);
        let spent = TokenStatus::Spent(7.into());
        let burnt = TokenStatus::Burnt(8.into());
        for (status, own, expected) in [
            (spent, Some(key(7, 1)), EntryOutcome::Created(7.into())),
            (spent, Some(key(9, 1)), EntryOutcome::Deleted(7.into())),
            (spent, Some(key(9, 2)), EntryOutcome::Deleted(7.into())),
            (spent, None, EntryOutcome::Deleted(7.into())),
            (burnt, Some(key(3, 1)), EntryOutcome::Found(key(3, 1))),
            (burnt, Some(key(3, 2)), EntryOutcome::Rejected),
            (burnt, None, EntryOutcome::Rejected),
            (TokenStatus::Missing, Some(key(7, 1)), EntryOutcome::Stray(7.into())),
            (TokenStatus::Missing, Some(key(7, 2)), EntryOutcome::Gone),
            (TokenStatus::Missing, None, EntryOutcome::Gone),
            (TokenStatus::Unspent, Some(key(7, 1)), EntryOutcome::Pending),
            (TokenStatus::Unspent, None, EntryOutcome::Pending),
        ] {
            assert_eq!(entry_outcome(status, own.as_ref(), ours), expected, "{status:?} {own:?}");
        }
    }
}
