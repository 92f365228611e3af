//! Checks that responses belong to the cluster and history that this client has seen (rule S7).

use std::sync::{
    OnceLock,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

/// The highest revision that is accepted. At 100,000 writes per second, it is reached after 2,855 years.
pub(crate) const MAX_REVISION: i64 = 1 << 53;

/// The maximum increase of the expected revision by one response. A larger step counts only after a second response
/// confirms it. Otherwise a single corrupt header would make every honest response look like a regression.
const LARGEST_STEP: i64 = 1 << 40;

/// The number of a connection whose check did not show a current store. It leads to a learner, to a member that is
/// behind, or to one that does not name its cluster. The connection is no longer used once a regression of the store
/// is known.
pub(crate) const UNVERIFIED: u64 = u64::MAX;

/// The origin of a response according to its header. A cluster of zero is unknown, and a revision of zero is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) cluster: u64,
    pub(crate) revision: i64,
}

impl Origin {
    /// Returns true if a store can have this revision.
    pub(crate) fn is_sound(self) -> bool {
        (0..=MAX_REVISION).contains(&self.revision)
    }
}

/// The reason why a response is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It comes from a different cluster than earlier responses.
    OtherCluster { expected: u64, found: u64 },
    /// It is older than what the client had seen before it sent the request.
    Older { seen: i64, found: i64 },
    /// Its cluster is known to have regressed to an earlier revision, regardless of its current revision.
    Regressed(Regression),
    /// No store can have this revision.
    Unsound { found: i64 },
}

/// Proof that the store of a cluster regressed: a linearizable response of revision `found` to a request sent after
/// revision `seen` had been seen. Every revision that was seen is committed, so a lagging member cannot explain it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Regression {
    pub(crate) seen: i64,
    pub(crate) found: i64,
}

/// The cluster and the highest revision that responses have shown so far. Zero means not yet known.
///
/// Accepting a replaced cluster or a restored store begins a new history. Late responses to requests of the old one
/// do not affect it.
#[derive(Debug)]
pub(crate) struct History {
    /// The number of histories that this client had before.
    number: u64,
    /// The cluster of the previous history.
    previous: u64,
    cluster: AtomicU64,
    revision: AtomicI64,
    /// A revision beyond the largest step that is not confirmed or contradicted yet. Zero if there is none.
    unconfirmed: AtomicI64,
    /// Set once and never reset: a store that has grown past the highest revision seen is still another history.
    regression: OnceLock<Regression>,
    /// The number of the next check of a connection.
    next_check: AtomicU64,
    /// The highest number of a connection that may be used. Zero once another history has replaced this one.
    trusted: AtomicU64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            number: 0,
            previous: 0,
            cluster: AtomicU64::default(),
            revision: AtomicI64::default(),
            unconfirmed: AtomicI64::default(),
            regression: OnceLock::new(),
            next_check: AtomicU64::new(1),
            trusted: AtomicU64::new(u64::MAX),
        }
    }
}

impl History {
    /// Ends this history, and returns its successor for `cluster`.
    pub(crate) fn succeeded_by(&self, cluster: u64) -> Self {
        self.trusted.store(0, Ordering::Release);
        let previous = self.cluster();
        Self { number: self.number + 1, previous, cluster: AtomicU64::new(cluster), ..Self::default() }
    }

    /// Returns true if the previous history belonged to another cluster.
    pub(crate) fn is_of_another_cluster(&self) -> bool {
        self.previous != self.cluster()
    }

    /// Returns the number of histories that this client had before.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Begins the check of a connection and returns its number. Must be called before anything is sent or read for
    /// the check.
    pub(crate) fn begin_check(&self) -> u64 {
        self.next_check.fetch_add(1, Ordering::AcqRel)
    }

    /// Returns the number of a connection whose check has just succeeded. Must be called after the history has
    /// learned from the check. The number is higher than that of every check that had begun by then.
    pub(crate) fn admit_connection(&self) -> u64 {
        // A read-modify-write and not a load: it orders with `begin_check`, so a check that begins later sees
        // the revision that this one has raised.
        self.next_check.fetch_add(0, Ordering::AcqRel)
    }

    /// Records that the check with this number proved a regression. Returns true if that was not known before.
    ///
    /// Connections whose check ended before that check began remain trusted. If one of them led to the restored
    /// store, everything it had shown by then was in that store and counted in `seen`, so the check would have found
    /// it. An etcd process serves one data directory for its whole life, so such a connection cannot move to the
    /// restored store later either. All other connections lose trust: the store may have grown past `seen` before
    /// they were checked.
    pub(crate) fn regressed(&self, regression: Regression, check: u64) -> bool {
        let news = self.regression.set(regression).is_ok();
        self.trusted.fetch_min(check, Ordering::AcqRel) > check || news
    }

    /// Returns the number of a check equivalent to a linearizable response on this connection. It revokes trust in
    /// the connection and in all that were checked after it.
    pub(crate) fn check_before(connection: u64) -> u64 {
        // It is not known when an unverified connection was current, so no other connection can be trusted.
        if connection == UNVERIFIED { 0 } else { connection.saturating_sub(1) }
    }

    /// Returns the proof that the store regressed, if there is one.
    pub(crate) fn regression(&self) -> Option<Regression> {
        self.regression.get().copied()
    }

    /// Returns true if the connection with this number may no longer be used, because another history was accepted or
    /// because its member may serve a restored store.
    pub(crate) fn disowns(&self, connection: u64) -> bool {
        connection > self.trusted.load(Ordering::Acquire)
    }

    /// Returns the cluster of the first response that named one, or zero before that.
    pub(crate) fn cluster(&self) -> u64 {
        self.cluster.load(Ordering::Relaxed)
    }

    /// Returns the minimum revision of a response to a linearizable request that is sent from now on.
    pub(crate) fn min_revision(&self) -> i64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Accepts or rejects a response. `min_revision` is the result of [`min_revision`](Self::min_revision) when the request was sent, for
    /// linearizable requests.
    pub(crate) fn admit(&self, origin: Origin, min_revision: Option<i64>) -> Result<(), Violation> {
        if !origin.is_sound() {
            return Err(Violation::Unsound { found: origin.revision });
        }
        // etcd's gRPC proxy answers some requests itself, without a cluster id (`watchBroadcast.add` in
        // etcd's `server/proxy/grpcproxy/watch_broadcast.go`). Such a response says nothing about the cluster
        // behind the proxy.
        if origin.cluster == 0 {
            return Ok(());
        }
        self.same_cluster(origin.cluster)?;
        let Some(seen) = min_revision.filter(|_| origin.revision > 0) else { return Ok(()) };
        // An equal revision is possible: nothing was written since.
        if origin.revision < seen {
            return Err(Violation::Older { seen, found: origin.revision });
        }
        self.raise(origin.revision);
        Ok(())
    }

    /// Checks the cluster id. The first response that names a cluster pins its id.
    pub(crate) fn same_cluster(&self, found: u64) -> Result<(), Violation> {
        let mut expected = self.cluster();
        if expected == 0 {
            // Two first responses may race. The loser compares its cluster with that of the winner.
            let first = self.cluster.compare_exchange(0, found, Ordering::Relaxed, Ordering::Relaxed);
            expected = first.map_or_else(|other| other, |_zero| found);
        }
        if expected == found { Ok(()) } else { Err(Violation::OtherCluster { expected, found }) }
    }

    /// Records a revision that was seen and is therefore committed. Later linearizable responses are at least as
    /// high.
    pub(crate) fn raise(&self, revision: i64) {
        let min_revision = self.revision.load(Ordering::Relaxed);
        let unconfirmed = self.unconfirmed.load(Ordering::Relaxed);
        // The usual case, without a write to the shared cache line.
        if revision <= min_revision && unconfirmed == 0 {
            return;
        }
        if revision.saturating_sub(min_revision) <= LARGEST_STEP {
            if unconfirmed != 0 {
                self.unconfirmed.store(0, Ordering::Relaxed);
            }
            self.revision.fetch_max(revision, Ordering::Release);
        } else if unconfirmed != 0 && (0..=LARGEST_STEP).contains(&(revision - unconfirmed)) {
            self.unconfirmed.store(0, Ordering::Relaxed);
            self.revision.fetch_max(revision, Ordering::Release);
        } else {
            self.unconfirmed.store(revision, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn origin(cluster: u64, revision: i64) -> Origin {
        Origin { cluster, revision }
    }

    #[test]
    fn the_first_answer_names_the_cluster() {
        let history = History::default();
        assert_eq!(history.admit(origin(7, 1), None), Ok(()));
        assert_eq!(history.cluster(), 7);
        let other = Violation::OtherCluster { expected: 7, found: 8 };
        assert_eq!(history.admit(origin(8, 100), Some(0)), Err(other));
        assert_eq!(history.min_revision(), 0, "an answer that is refused teaches nothing");
    }

    #[test]
    fn an_answer_without_a_cluster_is_neither_adopted_nor_compared() {
        let history = History::default();
        assert_eq!(history.admit(origin(0, 1), None), Ok(()));
        assert_eq!(history.cluster(), 0);
        assert_eq!(history.admit(origin(7, 1), None), Ok(()));
        assert_eq!(history.admit(origin(0, 1), None), Ok(()));
        assert_eq!(history.cluster(), 7);
    }

    #[test]
    fn linearizable_response_is_never_older_than_the_minimum_revision() {
        let history = History::default();
        let before = history.min_revision();
        history.admit(origin(7, 10), Some(before)).expect("newer");
        // Sent before revision 10 was seen, so it may be older.
        history.admit(origin(7, 9), Some(before)).expect("concurrent");
        let min_revision = history.min_revision();
        assert_eq!(
            history.admit(origin(7, 9), Some(min_revision)),
            Err(Violation::Older { seen: 10, found: 9 })
        );
        history.admit(origin(7, 10), Some(min_revision)).expect("as new");
        history.admit(origin(7, 3), None).expect("serializable answers may lag");
        assert_eq!(history.min_revision(), 10);
    }

    #[test]
    fn an_unknown_cluster_is_neither_adopted_nor_compared() {
        let history = History::default();
        assert_eq!(history.admit(origin(0, 5), Some(0)), Ok(()));
        assert_eq!((history.cluster(), history.min_revision()), (0, 0));
        history.admit(origin(7, 10), Some(0)).expect("the first that names a cluster");
        assert_eq!(history.admit(origin(0, 5), Some(10)), Ok(()));
        assert_eq!((history.cluster(), history.min_revision()), (7, 10));
    }

    #[test]
    fn revision_of_zero_is_absent() {
        let history = History::default();
        history.admit(origin(7, 10), Some(0)).expect("the first");
        assert_eq!(history.admit(origin(7, 0), Some(10)), Ok(()));
        assert_eq!(history.min_revision(), 10);
    }

    #[test]
    fn an_absurd_revision_leaves_the_floor_alone() {
        for absurd in [-1, i64::MIN, MAX_REVISION + 1, i64::MAX] {
            let history = History::default();
            history.admit(origin(7, 10), Some(0)).expect("the first");
            for min_revision in [None, Some(10)] {
                let unsound = Violation::Unsound { found: absurd };
                assert_eq!(history.admit(origin(7, absurd), min_revision), Err(unsound));
            }
            assert_eq!(history.admit(origin(7, 10), Some(history.min_revision())), Ok(()), "after {absurd}");
            assert_eq!(history.min_revision(), 10);
        }
    }

    #[test]
    fn a_large_step_counts_once_it_is_confirmed() {
        for large in [LARGEST_STEP + 100, MAX_REVISION] {
            let history = History::default();
            history.admit(origin(7, 10), Some(0)).expect("the first");
            history.admit(origin(7, large), Some(10)).expect("it may be");
            assert_eq!(history.min_revision(), 10, "not confirmed");
            history.admit(origin(7, 11), Some(10)).expect("an honest answer");
            history.admit(origin(7, large), Some(11)).expect("it may be");
            assert_eq!(history.min_revision(), 11, "contradicted meanwhile");
            history.admit(origin(7, large), Some(11)).expect("a second answer");
            assert_eq!(history.min_revision(), large, "confirmed");
        }
        let history = History::default();
        history.admit(origin(7, LARGEST_STEP + 1), Some(0)).expect("the first");
        assert_eq!(history.min_revision(), 0, "a first answer is one as well");
    }

    #[test]
    fn regression_is_remembered_at_any_later_revision() {
        let history = History::default();
        history.admit(origin(7, 10), Some(0)).expect("the first");
        let regression = Regression { seen: 10, found: 4 };
        let check = history.begin_check();
        assert!(history.regressed(regression, check));
        history.admit(origin(7, 20), Some(10)).expect("an answer on a connection of before");
        assert_eq!(history.regression(), Some(regression));
        let again = Regression { seen: 20, found: 11 };
        assert!(!history.regressed(again, history.begin_check()), "known already");
        assert_eq!(history.regression(), Some(regression), "the first proof stays");
        assert_eq!(history.succeeded_by(7).regression(), None, "until another history is accepted");
    }

    #[test]
    fn connections_checked_before_the_proof_began_are_used_further() {
        let history = History::default();
        let connection = || {
            history.begin_check();
            history.admit_connection()
        };
        let (first, second) = (connection(), connection());
        let under_way = history.begin_check();
        let check = history.begin_check();
        // Its check ended after the other one began, so it may lead to a store that has grown in the
        // meantime.
        let third = history.admit_connection();
        assert!(![first, second, third].into_iter().any(|number| history.disowns(number)));
        assert!(history.regressed(Regression { seen: 10, found: 4 }, check));
        assert!(!history.disowns(first) && !history.disowns(second) && history.disowns(third));
        assert!(history.disowns(connection()), "a later one");
        // A check that began earlier proves it as well.
        assert!(history.regressed(Regression { seen: 10, found: 5 }, under_way));
        assert!(!history.disowns(second) && history.disowns(third));
        // A response on an existing connection proves it for that one and for all after it.
        let answered = Regression { seen: 10, found: 6 };
        assert!(history.regressed(answered, History::check_before(second)));
        assert!(!history.disowns(first) && history.disowns(second));
    }

    #[test]
    fn a_connection_that_showed_no_current_store_is_not_used_after_a_proof() {
        let history = History::default();
        history.begin_check();
        let verified = history.admit_connection();
        assert!(!history.disowns(UNVERIFIED));
        let regression = Regression { seen: 10, found: 4 };
        history.regressed(regression, history.begin_check());
        assert!(history.disowns(UNVERIFIED) && !history.disowns(verified));
        history.regressed(regression, History::check_before(UNVERIFIED));
        assert!(history.disowns(verified), "when that one was current is not known");
    }

    #[test]
    fn a_history_that_is_over_teaches_its_successor_nothing() {
        let history = History::default();
        history.admit(origin(7, 100), Some(0)).expect("the first");
        let next = history.succeeded_by(8);
        assert!(history.disowns(1) && !next.disowns(1));
        history.admit(origin(7, 200), Some(100)).expect("a late answer");
        assert_eq!((next.number(), next.cluster(), next.min_revision()), (1, 8, 0));
    }
}
