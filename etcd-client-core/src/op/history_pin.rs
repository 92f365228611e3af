//! The history that the reads of one operation have to come from.

use std::sync::{Arc, OnceLock};

/// Shared by the gets that read one range in steps: the first one that a client sends fixes the client's history, and later ones fail
/// once another history was accepted. A revision means nothing in another history.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryPin(Option<Arc<OnceLock<u64>>>);

impl HistoryPin {
    /// A pin for several gets. The default one holds nothing.
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(crate) fn is_set_up(&self) -> bool {
        self.0.is_some()
    }

    /// The number of the history, once a get was sent.
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.as_ref().and_then(|cell| cell.get().copied())
    }

    /// Whether a read may come from the client's history with this number.
    pub(crate) fn holds(&self, number: u64) -> bool {
        self.0.as_ref().is_none_or(|cell| *cell.get_or_init(|| number) == number)
    }
}

/// The options of calls are compared by what a user sets.
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
    fn the_first_get_fixes_the_history() {
        let pin = HistoryPin::new();
        assert_eq!(pin.number(), None);
        let same = pin.clone();
        assert!(pin.holds(3) && same.holds(3) && !same.holds(4));
        assert_eq!(pin.number(), Some(3));
        let none = HistoryPin::default();
        assert!(none.holds(3) && none.holds(4) && none.number().is_none());
    }
}
