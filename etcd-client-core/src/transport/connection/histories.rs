//! The history of the client's cluster, and its predecessors.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::transport::connection::history::{History, Regression};

/// The histories of a client, shared with the clients that it made for single members.
#[derive(Debug)]
pub(crate) struct Histories {
    current: ArcSwap<History>,
    /// The number of the current history. Also sent when that history was found to have regressed.
    changed: watch::Sender<u64>,
}

impl Default for Histories {
    fn default() -> Self {
        Self { current: ArcSwap::default(), changed: watch::Sender::new(0) }
    }
}

impl Histories {
    pub(crate) fn current(&self) -> Arc<History> {
        self.current.load_full()
    }

    /// Starts a new history of this cluster, if `old` is still the current one.
    pub(crate) fn accept(&self, old: &Arc<History>, cluster: u64) {
        // Compared and stored under the lock of the watch channel, so that of two concurrent acceptances only
        // one starts a history.
        self.changed.send_if_modified(|number| {
            let current = self.current.load_full();
            if !Arc::ptr_eq(&current, old) {
                return false;
            }
            let next = old.succeeded_by(cluster);
            *number = next.number();
            self.current.store(Arc::new(next));
            true
        });
    }

    /// Records that the store of a history regressed; see [`History::regressed`].
    pub(crate) fn regressed(&self, history: &History, regression: Regression, check: u64) {
        if history.regressed(regression, check) {
            self.changed.send_modify(|_number| ());
        }
    }

    /// Returns a receiver that is notified after each accepted history, and when connections of the current one become
    /// unusable.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_succeeded_once() {
        let histories = Histories::default();
        let first = histories.current();
        histories.accept(&first, 8);
        histories.accept(&first, 9);
        let second = histories.current();
        assert_eq!((second.number(), second.cluster(), *histories.changes().borrow()), (1, 8, 1));
        assert!(first.disowns(1) && !second.disowns(1));
    }

    #[test]
    fn a_regression_is_announced_once() {
        let histories = Histories::default();
        let history = histories.current();
        let mut changes = histories.changes();
        let regression = Regression { seen: 9, found: 3 };
        histories.regressed(&history, regression, history.begin_check());
        assert!(changes.has_changed().expect("open"));
        assert_eq!(*changes.borrow_and_update(), 0, "the same history");
        histories.regressed(&history, regression, history.begin_check());
        assert!(!changes.has_changed().expect("open"));
    }
}
