//! What the answer to an entry, or to the burn after it, means for the key that was to be created. Pure.

use etcd_client_core::{KeyValue, LeaseId, Revision};

use super::Fate;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The key was created at this revision and is still there.
    Entered(Revision),
    /// The key was created at this revision and deleted since, by somebody else.
    Lost(Revision),
    /// Nothing was created, and the session's lease has the key from before.
    Adopted(KeyValue),
    /// Nothing was created, and nothing will be.
    Refused,
    /// Nobody knows what was created. The lease's key is there, created at this revision.
    Stray(Revision),
    /// Nobody knows what was created, and no key of the lease is there.
    Gone,
    /// A copy of the entry may still be applied.
    Open,
}

/// Judges an entry by the token and by the key `own` as one transaction showed them.
pub(crate) fn judge(fate: Fate, own: Option<&KeyValue>, lease: LeaseId) -> Verdict {
    let ours = own.filter(|kv| kv.lease == Some(lease));
    match (fate, ours) {
        (Fate::Applied(at), _) if own.is_some_and(|kv| kv.create_revision == at) => Verdict::Entered(at),
        (Fate::Applied(at), _) => Verdict::Lost(at),
        (Fate::Void(_), Some(kv)) => Verdict::Adopted(kv.clone()),
        (Fate::Void(_), None) => Verdict::Refused,
        (Fate::Missing, Some(kv)) => Verdict::Stray(kv.create_revision),
        (Fate::Missing, None) => Verdict::Gone,
        (Fate::Open, _) => Verdict::Open,
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
    fn an_entry_is_judged_by_its_token() {
        let ours = lease(1);
        let applied = Fate::Applied(7.into());
        let void = Fate::Void(8.into());
        for (fate, own, expected) in [
            (applied, Some(key(7, 1)), Verdict::Entered(7.into())),
            (applied, Some(key(9, 1)), Verdict::Lost(7.into())),
            (applied, Some(key(9, 2)), Verdict::Lost(7.into())),
            (applied, None, Verdict::Lost(7.into())),
            (void, Some(key(3, 1)), Verdict::Adopted(key(3, 1))),
            (void, Some(key(3, 2)), Verdict::Refused),
            (void, None, Verdict::Refused),
            (Fate::Missing, Some(key(7, 1)), Verdict::Stray(7.into())),
            (Fate::Missing, Some(key(7, 2)), Verdict::Gone),
            (Fate::Missing, None, Verdict::Gone),
            (Fate::Open, Some(key(7, 1)), Verdict::Open),
            (Fate::Open, None, Verdict::Open),
        ] {
            assert_eq!(judge(fate, own.as_ref(), ours), expected, "{fate:?} {own:?}");
        }
    }
}
