//! The rules whose breach loses or repeats events, each by its name: the tests break one at a time and must see it.

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The header of a response with events says nothing of how far the watch is: it may be later than what is still to come.
    BookmarkIsNoHeader,
    /// The events of one revision are delivered together.
    WholeRevisions,
    /// A revision is behind the bookmark when all of its events are.
    BookmarkByRevision,
    /// An answer to a request for progress says nothing of a watch whose creation was not read before it, and nothing at all
    /// where the member is too old to keep it in order.
    ProgressInOrder,
    /// While the answers to creations do not name their requests, a single creation is in flight.
    MatchedCreations,
}

/// All of them, outside of tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    #[cfg(test)]
    pub(super) broken: Option<Rule>,
}

impl Rules {
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "in tests it matters")]
    pub(crate) fn hold(self, _rule: Rule) -> bool {
        true
    }

    #[cfg(test)]
    pub(crate) fn hold(self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}
