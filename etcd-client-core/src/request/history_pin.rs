//! Pins the reads of one operation to a single history of the cluster.

use std::sync::{Arc, OnceLock};

/// A pin that several gets share while they read one range in steps.
///
/// The first get that a client sends fixes the client's history. Later gets fail if another history was accepted in
/// the meantime, because a revision has no meaning in another history.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryPin(Option<Arc<OnceLock<u64>>>);

impl HistoryPin {
    /// Creates a pin for several gets. The default pin imposes nothing.
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(crate) fn is_set_up(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the number of the history, once a get was sent.
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.as_ref().and_then(|cell| cell.get().copied())
    }

    /// Returns whether a read may come from the history with this number.
    pub(crate) fn holds(&self, number: u64) -> bool {
        self.0.as_ref().is_none_or(|cell| *cell.get_or_init(|| number) == number)
    }
}

/// Every pin equals every other: options of calls are compared by what a user sets.
impl PartialEq for HistoryPin {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for HistoryPin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_get_fixes_history() {
        let pin = HistoryPin::new();
        assert_eq!(pin.number(), None);
        let same = pin.clone();
        assert!(pin.holds(3) && same.holds(3) && !same.holds(4));
        assert_eq!(pin.number(), Some(3));
        let none = HistoryPin::default();
        assert!(none.holds(3) && none.holds(4) && none.number().is_none());
    }
}
