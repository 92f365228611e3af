//! The rules whose violation loses or repeats events, and the server versions that keep the order of progress.
//!
//! Each rule has a name, so that tests can break one at a time and must detect it.

use crate::types::version::ServerVersion;

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

/// Returns true for 3.4.25 and later 3.4 versions, and from 3.5.8 on (`progressIfSync` in etcd's
/// `server/storage/mvcc/watcher.go`, etcd issue 15220).
pub(crate) fn answers_progress_in_order(version: ServerVersion) -> bool {
    version >= ServerVersion::new(3, 5, 8)
        || (version >= ServerVersion::new(3, 4, 25) && version < ServerVersion::new(3, 5, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundaries() {
        for (version, expected) in [
            ("3.3.27", false),
            ("3.4.24", false),
            ("3.4.25", true),
            ("3.4.99", true),
            ("3.5.0", false),
            ("3.5.7", false),
            ("3.5.8", true),
            ("3.6.0", true),
            ("3.7.0", true),
            ("4.0.0", true),
        ] {
            let parsed = version.parse().expect("a version");
            assert_eq!(answers_progress_in_order(parsed), expected, "{version}");
        }
    }
}
