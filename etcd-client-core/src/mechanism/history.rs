//! Whether an answer belongs to the cluster and to the history that this client has seen (rule S7).

use std::sync::{
    OnceLock,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

/// The highest revision that is believed: at 100,000 writes a second it is reached after 2,855 years.
pub(crate) const MAX_REVISION: i64 = 1 << 53;

/// How far one answer may raise what later ones have to show. A larger step counts once a second answer confirms it: else one
/// bad header would make every honest one look regressed.
const LARGEST_STEP: i64 = 1 << 40;

/// The number of a connection whose check did not show a current store: of a learner, a member that is behind, or one that does not
/// name its cluster. It is not used any more once the store is known to have gone back.
pub(crate) const UNVERIFIED: u64 = u64::MAX;

/// What an answer says of where it comes from. A cluster of zero is unknown, a revision of zero is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) cluster: u64,
    pub(crate) revision: i64,
}

impl Origin {
    /// Whether the revision is one that a store can have.
    pub(crate) fn is_sound(self) -> bool {
        (0..=MAX_REVISION).contains(&self.revision)
    }
}

/// Why an answer is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It comes from another cluster than the answers before it.
    OtherCluster { expected: u64, found: u64 },
    /// It is older than what the client had seen before it asked.
    Older { seen: i64, found: i64 },
    /// Its cluster is known to have gone back to an earlier revision, whatever the revision is now.
    Regressed(Regression),
    /// No store has this revision.
    Unsound { found: i64 },
}

/// Proof that the store of a cluster went back: a linearizable answer of revision `found`, to a request that was sent after revision
/// `seen` had been seen. Every revision that was seen is committed, so no lagging member explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Regression {
    pub(crate) seen: i64,
    pub(crate) found: i64,
}

/// The cluster, and the highest revision, that answers have shown so far. Zero is nothing yet.
///
/// Accepting a replaced cluster or a restored store begins another history; what still arrives for this one changes nothing there.
#[derive(Debug)]
pub(crate) struct History {
    /// How many histories this client had before.
    number: u64,
    /// The cluster of the one before.
    previous: u64,
    cluster: AtomicU64,
    revision: AtomicI64,
    /// A revision beyond the largest step, until it is confirmed or contradicted; zero for none.
    unconfirmed: AtomicI64,
    /// Set once, and never taken back: a store that has grown past the highest revision seen is still another history.
    regression: OnceLock<Regression>,
    /// The number of the next check of a connection.
    next_check: AtomicU64,
    /// The highest number of a connection that may be used. Zero once another history took the place of this one.
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
    /// The history that comes after this one, of this cluster; this one is over.
    pub(crate) fn succeeded_by(&self, cluster: u64) -> Self {
        self.trusted.store(0, Ordering::Release);
        let previous = self.cluster();
        Self { number: self.number + 1, previous, cluster: AtomicU64::new(cluster), ..Self::default() }
    }

    /// Whether it is of another cluster than the one before it.
    pub(crate) fn is_of_another_cluster(&self) -> bool {
        self.previous != self.cluster()
    }

    /// How many histories this client had before.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Begins the check of a connection, before anything is sent or read for it. Returns the check's number.
    pub(crate) fn begin_check(&self) -> u64 {
        self.next_check.fetch_add(1, Ordering::AcqRel)
    }

    /// The number of a connection whose check has just ended well, once the history has learnt from it: above that of every check
    /// that had begun by then.
    pub(crate) fn admit_connection(&self) -> u64 {
        // Read and written: a check that begins later sees what this one has raised.
        self.next_check.fetch_add(0, Ordering::AcqRel)
    }

    /// Notes that the check with this number proved that the store went back. Returns whether that is news.
    ///
    /// Members that were found to be current before that check began may be used further. If one led to the restored store, everything it had
    /// shown by then was in that store and counted in `seen`, so the check would have found it. An etcd process serves one data
    /// directory for its life, so such a connection cannot get there later either. Other connections are not used any more: the
    /// store may have grown past `seen` before they were checked.
    pub(crate) fn regressed(&self, regression: Regression, check: u64) -> bool {
        let news = self.regression.set(regression).is_ok();
        self.trusted.fetch_min(check, Ordering::AcqRel) > check || news
    }

    /// The number of a check that stands for a linearizable answer on this connection: the connection, and all that were checked after
    /// it, are not used any more.
    pub(crate) fn check_before(connection: u64) -> u64 {
        // Nothing is known of when the other one was current.
        if connection == UNVERIFIED { 0 } else { connection.saturating_sub(1) }
    }

    /// The proof that the store went back, if there is one.
    pub(crate) fn regression(&self) -> Option<Regression> {
        self.regression.get().copied()
    }

    /// Whether a connection with this number may not be used any more: another history was accepted, or its member may serve a
    /// restored store.
    pub(crate) fn disowns(&self, connection: u64) -> bool {
        connection > self.trusted.load(Ordering::Acquire)
    }

    /// The cluster of the first answer that named one, zero before that.
    pub(crate) fn cluster(&self) -> u64 {
        self.cluster.load(Ordering::Relaxed)
    }

    /// What an answer to a request that is sent from now on has to show at least.
    pub(crate) fn floor(&self) -> i64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Takes an answer in, or says why not. `floor` is that of when the request was sent, where it was linearizable.
    pub(crate) fn admit(&self, origin: Origin, floor: Option<i64>) -> Result<(), Violation> {
        if !origin.is_sound() {
            return Err(Violation::Unsound { found: origin.revision });
        }
        // etcd's gRPC proxy answers some requests itself and leaves the id out (`watchBroadcast.add` in etcd's
        // `server/proxy/grpcproxy/watch_broadcast.go`): that says nothing of the cluster behind it.
        if origin.cluster == 0 {
            return Ok(());
        }
        self.same_cluster(origin.cluster)?;
        let Some(seen) = floor.filter(|_| origin.revision > 0) else { return Ok(()) };
        if origin.revision < seen {
            return Err(Violation::Older { seen, found: origin.revision });
        }
        self.raise(origin.revision);
        Ok(())
    }

    /// The first answer that names a cluster says which one this is.
    pub(crate) fn same_cluster(&self, found: u64) -> Result<(), Violation> {
        let mut expected = self.cluster();
        if expected == 0 {
            let first = self.cluster.compare_exchange(0, found, Ordering::Relaxed, Ordering::Relaxed);
            expected = first.map_or_else(|other| other, |_zero| found);
        }
        if expected == found { Ok(()) } else { Err(Violation::OtherCluster { expected, found }) }
    }

    /// A revision that was seen, and so is committed: what comes later is at least as high.
    pub(crate) fn raise(&self, revision: i64) {
        let floor = self.revision.load(Ordering::Relaxed);
        let unconfirmed = self.unconfirmed.load(Ordering::Relaxed);
        if revision <= floor && unconfirmed == 0 {
            return;
        }
        if revision.saturating_sub(floor) <= LARGEST_STEP {
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
        assert_eq!(history.floor(), 0, "an answer that is refused teaches nothing");
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
    fn a_linearizable_answer_is_not_older_than_what_was_seen_before_the_request() {
        let history = History::default();
        let before = history.floor();
        history.admit(origin(7, 10), Some(before)).expect("newer");
        // Sent before revision 10 was seen: may be older.
        history.admit(origin(7, 9), Some(before)).expect("concurrent");
        let floor = history.floor();
        assert_eq!(history.admit(origin(7, 9), Some(floor)), Err(Violation::Older { seen: 10, found: 9 }));
        history.admit(origin(7, 10), Some(floor)).expect("as new");
        history.admit(origin(7, 3), None).expect("serializable answers may lag");
        assert_eq!(history.floor(), 10);
    }

    #[test]
    fn an_unknown_cluster_is_neither_adopted_nor_compared() {
        let history = History::default();
        assert_eq!(history.admit(origin(0, 5), Some(0)), Ok(()));
        assert_eq!((history.cluster(), history.floor()), (0, 0));
        history.admit(origin(7, 10), Some(0)).expect("the first that names a cluster");
        assert_eq!(history.admit(origin(0, 5), Some(10)), Ok(()));
        assert_eq!((history.cluster(), history.floor()), (7, 10));
    }

    #[test]
    fn a_revision_of_zero_is_not_said() {
        let history = History::default();
        history.admit(origin(7, 10), Some(0)).expect("the first");
        assert_eq!(history.admit(origin(7, 0), Some(10)), Ok(()));
        assert_eq!(history.floor(), 10);
    }

    #[test]
    fn an_absurd_revision_leaves_the_floor_alone() {
        for absurd in [-1, i64::MIN, MAX_REVISION + 1, i64::MAX] {
            let history = History::default();
            history.admit(origin(7, 10), Some(0)).expect("the first");
            for floor in [None, Some(10)] {
                let unsound = Violation::Unsound { found: absurd };
                assert_eq!(history.admit(origin(7, absurd), floor), Err(unsound));
            }
            assert_eq!(history.admit(origin(7, 10), Some(history.floor())), Ok(()), "after {absurd}");
            assert_eq!(history.floor(), 10);
        }
    }

    #[test]
    fn a_large_step_counts_once_it_is_confirmed() {
        for large in [LARGEST_STEP + 100, MAX_REVISION] {
            let history = History::default();
            history.admit(origin(7, 10), Some(0)).expect("the first");
            history.admit(origin(7, large), Some(10)).expect("it may be");
            assert_eq!(history.floor(), 10, "not confirmed");
            history.admit(origin(7, 11), Some(10)).expect("an honest answer");
            history.admit(origin(7, large), Some(11)).expect("it may be");
            assert_eq!(history.floor(), 11, "contradicted meanwhile");
            history.admit(origin(7, large), Some(11)).expect("a second answer");
            assert_eq!(history.floor(), large, "confirmed");
        }
        let history = History::default();
        history.admit(origin(7, LARGEST_STEP + 1), Some(0)).expect("the first");
        assert_eq!(history.floor(), 0, "a first answer is one as well");
    }

    #[test]
    fn a_regression_is_remembered_however_far_the_store_grows() {
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
        // Its check ended after the other one began: it may lead to a store that has grown meanwhile.
        let third = history.admit_connection();
        assert!(![first, second, third].into_iter().any(|number| history.disowns(number)));
        assert!(history.regressed(Regression { seen: 10, found: 4 }, check));
        assert!(!history.disowns(first) && !history.disowns(second) && history.disowns(third));
        assert!(history.disowns(connection()), "a later one");
        // A check that began earlier proves it as well.
        assert!(history.regressed(Regression { seen: 10, found: 5 }, under_way));
        assert!(!history.disowns(second) && history.disowns(third));
        // An answer on a standing connection proves it of that one and of all after it.
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
        assert_eq!((next.number(), next.cluster(), next.floor()), (1, 8, 0));
    }
}
