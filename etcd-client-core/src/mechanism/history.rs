//! Whether an answer belongs to the cluster and to the history that this client has seen (rule S7).

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What an answer says of where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) cluster: u64,
    pub(crate) revision: i64,
}

/// Why an answer is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It comes from another cluster than the answers before it.
    OtherCluster { expected: u64, found: u64 },
    /// It is older than what the client had seen before it asked.
    Older { seen: i64, found: i64 },
}

/// The cluster, and the highest revision, that answers have shown so far. Zero is nothing yet.
#[derive(Debug, Default)]
pub(crate) struct History {
    cluster: AtomicU64,
    revision: AtomicI64,
}

impl History {
    /// The cluster of the first answer, zero before that.
    pub(crate) fn cluster(&self) -> u64 {
        self.cluster.load(Ordering::Relaxed)
    }

    /// What an answer to a request that is sent from now on has to show at least.
    pub(crate) fn floor(&self) -> i64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Takes an answer in, or says why not. `floor` is that of when the request was sent, where it was linearizable.
    pub(crate) fn admit(&self, origin: Origin, floor: Option<i64>) -> Result<(), Violation> {
        self.same_cluster(origin.cluster)?;
        if let Some(seen) = floor.filter(|&floor| floor > 0 && origin.revision < floor) {
            return Err(Violation::Older { seen, found: origin.revision });
        }
        if floor.is_some() && origin.revision > self.revision.load(Ordering::Relaxed) {
            self.revision.fetch_max(origin.revision, Ordering::Release);
        }
        Ok(())
    }

    /// The first answer says which cluster this is.
    ///
    /// Zero is no cluster: etcd's gRPC proxy answers some requests itself and leaves the id out (`watchBroadcast.add` in etcd's
    /// `server/proxy/grpcproxy/watch_broadcast.go`). Such an answer is neither adopted nor compared.
    fn same_cluster(&self, found: u64) -> Result<(), Violation> {
        if found == 0 {
            return Ok(());
        }
        let mut expected = self.cluster();
        if expected == 0 {
            let first = self.cluster.compare_exchange(0, found, Ordering::Relaxed, Ordering::Relaxed);
            expected = first.map_or_else(|other| other, |_zero| found);
        }
        if expected == found { Ok(()) } else { Err(Violation::OtherCluster { expected, found }) }
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
}
