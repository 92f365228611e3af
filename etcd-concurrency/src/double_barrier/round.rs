//! The round of a double barrier that a participant finds when it arrives. Pure.

use etcd_client_core::{Revision, kv::GetResponse};

/// The state of the round that a participant finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// The round has not started. `before` participants arrived earlier; `ready` has this mod revision.
    Open { before: usize, ready: Revision },
    /// All participants have arrived, and some of them have not left yet.
    Running,
}

impl Round {
    /// Determines the round from the waiters and the `ready` key that the participant read when its key was created at `own`.
    ///
    /// A round is running while a participant that arrived before the last `ready` still has its key. A `ready` key without such
    /// a participant was left behind by participants that died.
    pub(super) fn of(own: Revision, reads: Vec<GetResponse>) -> Self {
        let mut reads = reads.into_iter();
        let mut before = reads.next().unwrap_or_default().kvs;
        before.retain(|kv| kv.create_revision < own);
        let ready =
            reads.next().and_then(GetResponse::into_first).map_or(Revision::ZERO, |kv| kv.mod_revision);
        // A `ready` that was put after the participant arrived admits it.
        let running = ready < own && before.iter().any(|kv| kv.create_revision < ready);
        if running { Self::Running } else { Self::Open { before: before.len(), ready } }
    }
}

#[cfg(test)]
mod tests {
    use etcd_client_core::KeyValue;

    use super::*;

    #[test]
    fn participants_join_rounds_that_are_not_running() {
        let get = |revisions: &[(i64, i64)]| {
            let kv =
                |&(created, modified): &(i64, i64)| KeyValue::new("k", "").with_revisions(created, modified);
            GetResponse::new(Default::default(), revisions.iter().map(kv).collect())
        };
        // The own key is created at revision 20.
        for (waiters, ready, before) in [
            (vec![], None, Some(0)),
            (vec![10, 11], None, Some(2)),
            (vec![10, 11, 20, 21], None, Some(2)),
            (vec![10], Some(15), None),
            (vec![10, 16], Some(15), None),
            // Leftover behind by an earlier round.
            (vec![], Some(15), Some(0)),
            (vec![16], Some(15), Some(1)),
            // A `ready` put by a participant that arrived later.
            (vec![10, 20, 21], Some(22), Some(1)),
        ] {
            let put = Revision::new(ready.unwrap_or(0));
            let expected = before.map_or(Round::Running, |before| Round::Open { before, ready: put });
            let waiters = waiters.iter().map(|&created| (created, created)).collect::<Vec<_>>();
            let ready = ready.map(|modified| (5, modified)).into_iter().collect::<Vec<_>>();
            let round = Round::of(20.into(), vec![get(&waiters), get(&ready)]);
            assert_eq!(round, expected, "{waiters:?} {ready:?}");
        }
    }
}
