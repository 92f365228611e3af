//! The states of a copy at the last revisions that changed it.

use std::collections::VecDeque;

use crate::{cache::replica::pairs::Pairs, types::Revision};

/// The last states of a copy, including the current one. A state costs as much memory as its revision changed,
/// because states share everything else.
#[derive(Debug)]
pub(crate) struct Window {
    /// The states with the revisions that created them, in order. Never empty.
    states: VecDeque<(Revision, Pairs)>,
    /// The revision up to which the last state is known to be valid.
    until: Revision,
    capacity: usize,
}

/// The reason why there is no state for a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutOfWindow {
    /// The revision is older than the oldest state.
    Before,
    /// The copy has not reached the revision yet.
    After,
}

impl Window {
    /// Creates a window with a copy listed at `revision`. It keeps at most `capacity` states, and at least one.
    pub(crate) fn new(revision: Revision, pairs: Pairs, capacity: usize) -> Self {
        Self { states: VecDeque::from([(revision, pairs)]), until: revision, capacity: capacity.max(1) }
    }

    /// Adds the state created by `revision`. Ignored unless it is later than the last one.
    pub(crate) fn push(&mut self, revision: Revision, pairs: Pairs) {
        if revision <= self.until {
            return;
        }
        if self.states.len() >= self.capacity {
            self.states.pop_front();
        }
        self.states.push_back((revision, pairs));
        self.until = revision;
    }

    /// Records that nothing changed up to `revision`.
    pub(crate) fn advance(&mut self, revision: Revision) {
        self.until = self.until.max(revision);
    }

    /// Returns the revision up to which the copy is known.
    pub(crate) fn revision(&self) -> Revision {
        self.until
    }

    pub(crate) fn latest(&self) -> Pairs {
        self.states.back().map(|(_, pairs)| pairs.clone()).unwrap_or_default()
    }

    /// Returns the copy at `revision`.
    pub(crate) fn at(&self, revision: Revision) -> Result<Pairs, OutOfWindow> {
        if revision > self.until {
            return Err(OutOfWindow::After);
        }
        let later = self.states.partition_point(|(made, _)| *made <= revision);
        let state = later.checked_sub(1).and_then(|index| self.states.get(index));
        state.map(|(_, pairs)| pairs.clone()).ok_or(OutOfWindow::Before)
    }
}
