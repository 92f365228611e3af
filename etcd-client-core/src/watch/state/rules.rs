//! The rules whose violation loses or repeats events. Each has a name, so that tests can break one at a time and must
//! detect it.

/// A rule that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The header revision of a response with events does not count as progress: it may be later than events still to
    /// come.
    BookmarkIsNoHeader,
    /// The events of one revision are delivered together.
    WholeRevisions,
    /// The position passes a revision only after all of its events.
    BookmarkByRevision,
    /// The answer to a progress request does not apply to a watch whose creation was not read before it. It applies
    /// to no watch if the member is too old to keep the order.
    ProgressInOrder,
    /// Only one create request is in flight while responses do not identify their requests.
    MatchedCreations,
}

/// The set of rules. All of them hold outside of tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    #[cfg(test)]
    pub(crate) broken: Option<Rule>,
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
