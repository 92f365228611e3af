//! The history that a client is of, and those that it accepted before.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::mechanism::history::History;

/// Shared by a client and the clients of single members made from it.
#[derive(Debug)]
pub(crate) struct Histories {
    current: ArcSwap<History>,
    /// The number of the current one.
    accepted: watch::Sender<u64>,
}

impl Default for Histories {
    fn default() -> Self {
        Self { current: ArcSwap::default(), accepted: watch::Sender::new(0) }
    }
}

impl Histories {
    pub(crate) fn current(&self) -> Arc<History> {
        self.current.load_full()
    }

    /// Begins another history, of this cluster, if `old` is the current one.
    pub(crate) fn accept(&self, old: &Arc<History>, cluster: u64) {
        self.accepted.send_if_modified(|number| {
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

    /// Told after each history that is accepted from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.accepted.subscribe()
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
        assert!(first.is_over() && !second.is_over());
    }
}
