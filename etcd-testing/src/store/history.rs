//! The versions of one key.

use etcd_proto::mvccpb::KeyValue;

/// One change of one key: a put with everything that is stored, or a deletion with the key and its revision.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) kv: KeyValue,
    pub(crate) deleted: bool,
}

impl Change {
    pub(crate) const fn revision(&self) -> i64 {
        self.kv.mod_revision
    }

    /// Returns whether this put creates its key.
    pub(crate) const fn creates(&self) -> bool {
        !self.deleted && self.kv.create_revision == self.kv.mod_revision
    }
}

/// The changes of one key that are not compacted, the oldest first.
///
/// A transaction can change a key more than once at one revision; the last change counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    changes: Vec<Change>,
}

impl History {
    /// Returns the key-value pair as of `revision`.
    pub(crate) fn at(&self, revision: i64) -> Option<&KeyValue> {
        let later = match self.changes.last() {
            // Most reads are of the newest revision.
            Some(last) if last.revision() <= revision => self.changes.len(),
            _ => self.changes.partition_point(|change| change.revision() <= revision),
        };
        let change = &self.changes[later.checked_sub(1)?];
        (!change.deleted).then_some(&change.kv)
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Forgets what no read at `revision` or later can see. Returns whether anything is left.
    pub(crate) fn compact(&mut self, revision: i64) -> bool {
        let later = self.changes.partition_point(|change| change.revision() <= revision);
        if let Some(current) = later.checked_sub(1) {
            let visible = !self.changes[current].deleted;
            self.changes.drain(..if visible { current } else { later });
        }
        !self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(changes: &[(i64, bool)]) -> History {
        let mut history = History::default();
        for &(mod_revision, deleted) in changes {
            let kv = KeyValue { key: "k".into(), mod_revision, ..Default::default() };
            history.push(Change { kv, deleted });
        }
        history
    }

    fn seen(history: &History, revision: i64) -> Option<i64> {
        history.at(revision).map(|kv| kv.mod_revision)
    }

    #[test]
    fn a_read_sees_the_last_change_up_to_its_revision() {
        let history = history(&[(2, false), (4, false), (6, true), (9, false)]);
        let expected = [None, None, Some(2), Some(2), Some(4), Some(4), None, None, None, Some(9), Some(9)];
        for (revision, expected) in (0..).zip(expected) {
            assert_eq!(seen(&history, revision), expected, "at {revision}");
        }
    }

    #[test]
    fn a_compaction_keeps_what_is_visible_at_its_revision() {
        let mut kept = history(&[(2, false), (4, false), (9, false)]);
        assert!(kept.compact(5));
        assert_eq!((seen(&kept, 5), seen(&kept, 9)), (Some(4), Some(9)));
        assert_eq!(seen(&kept, 3), None);

        let mut deleted = history(&[(2, false), (4, true)]);
        assert!(deleted.compact(3));
        assert!(!deleted.compact(4));
    }
}
