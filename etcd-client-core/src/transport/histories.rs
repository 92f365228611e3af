//! The history that a client is of, and those that it accepted before.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::mechanism::history::{History, Regression};

/// Shared by a client and the clients of single members made from it.
#[derive(Debug)]
pub(crate) struct Histories {
    current: ArcSwap<History>,
    /// The number of the current one. Also sent when that was found to have regressed.
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

    /// Begins another history, of this cluster, if `old` is the current one.
    pub(crate) fn accept(&self, old: &Arc<History>, cluster: u64) {
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

    /// Notes that the store of a history went back, as [`History::regressed`] does.
    pub(crate) fn regressed(&self, history: &History, regression: Regression, check: u64) {
        if history.regressed(regression, check) {
            self.changed.send_modify(|_number| ());
        }
    }

    /// Notified after each history that is accepted from now on, and when connections of the current one are no longer to be used.
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
