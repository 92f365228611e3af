//! The copy as it was at each of the last revisions that changed it.

use std::collections::VecDeque;

use super::Pairs;
use crate::model::Revision;

/// The last states of a copy, the present one included. Each costs what its revision changed: they share the rest.
#[derive(Debug)]
pub(crate) struct Window {
    /// At least one: each with the revision that made it, in order.
    states: VecDeque<(Revision, Pairs)>,
    /// Up to where the last state is known to hold.
    until: Revision,
    capacity: usize,
}

/// Why there is no state for a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutOfWindow {
    /// It is older than what is kept.
    Before,
    /// The copy is not that far yet.
    After,
}

impl Window {
    /// A copy as it was listed at `revision`. It keeps at most `capacity` states, at least one.
    pub(crate) fn new(revision: Revision, pairs: Pairs, capacity: usize) -> Self {
        Self { states: VecDeque::from([(revision, pairs)]), until: revision, capacity: capacity.max(1) }
    }

    /// The next state, made by `revision`. One that is not later than the last is none.
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

    /// Nothing changed up to `revision`.
    pub(crate) fn advance(&mut self, revision: Revision) {
        self.until = self.until.max(revision);
    }

    /// Up to where the copy is known.
    pub(crate) fn revision(&self) -> Revision {
        self.until
    }

    pub(crate) fn latest(&self) -> Pairs {
        self.states.back().map(|(_, pairs)| pairs.clone()).unwrap_or_default()
    }

    /// The copy as it was at `revision`.
    pub(crate) fn at(&self, revision: Revision) -> Result<Pairs, OutOfWindow> {
        if revision > self.until {
            return Err(OutOfWindow::After);
        }
        let later = self.states.partition_point(|(made, _)| *made <= revision);
        let state = later.checked_sub(1).and_then(|index| self.states.get(index));
        state.map(|(_, pairs)| pairs.clone()).ok_or(OutOfWindow::Before)
    }
}
