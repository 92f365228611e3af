//! Finds stale reads in the record of a run.

use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

/// An operation on one key, from before its request was sent until after its response arrived.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) actor: &'static str,
    pub(super) key: String,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) effect: Effect,
}

/// What an operation found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A read found the key with this mod revision.
    Found(i64),
    /// A read found no key.
    Missing,
    /// A put was applied at this revision.
    Put(i64),
    /// At this revision, the key did not exist.
    Deleted(i64),
    /// A deletion may have been applied.
    MaybeDeleted,
}

impl Effect {
    /// Returns the revision up to which the operation shows the state of the key.
    fn revision(self) -> Option<i64> {
        match self {
            Self::Found(revision) | Self::Put(revision) | Self::Deleted(revision) => Some(revision),
            Self::Missing | Self::MaybeDeleted => None,
        }
    }
}

/// A read that does not show what another operation showed before the read began.
#[derive(Debug)]
pub(super) struct StaleRead {
    pub(super) actor: &'static str,
    /// The read and the other operation.
    pub(super) text: String,
}

/// Returns the stale reads.
pub(super) fn stale_reads(entries: &[Entry]) -> Vec<StaleRead> {
    let mut by_key: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_key.entry(&entry.key).or_default().push(entry);
    }
    by_key.values().flat_map(|entries| stale_reads_of_key(entries)).collect()
}

fn stale_reads_of_key(entries: &[&Entry]) -> Vec<StaleRead> {
    let mut by_end: Vec<_> = entries.iter().filter(|entry| entry.effect.revision().is_some()).collect();
    by_end.sort_by_key(|entry| entry.ended);
    let is_read = |entry: &&&Entry| matches!(entry.effect, Effect::Found(_) | Effect::Missing);
    let mut reads: Vec<_> = entries.iter().filter(is_read).collect();
    reads.sort_by_key(|entry| entry.began);
    let deletions: Vec<_> = entries
        .iter()
        .filter(|entry| matches!(entry.effect, Effect::Deleted(_) | Effect::MaybeDeleted))
        .collect();

    let (mut stale, mut ended) = (Vec::new(), by_end.iter().peekable());
    let mut floor: Option<&Entry> = None;
    for read in reads {
        while let Some(entry) = ended.next_if(|entry| entry.ended < read.began) {
            if floor.is_none_or(|floor| floor.effect.revision() < entry.effect.revision()) {
                floor = Some(entry);
            }
        }
        let Some(floor) = floor else { continue };
        let revision = floor.effect.revision().unwrap_or_default();
        let explains_absence = |deletion: &&&Entry| {
            deletion.began < read.ended && deletion.effect.revision().is_none_or(|deleted| deleted > revision)
        };
        let fresh = match read.effect {
            Effect::Found(found) => found >= revision,
            _ => matches!(floor.effect, Effect::Deleted(_)) || deletions.iter().any(explains_absence),
        };
        if !fresh {
            stale.push(StaleRead { actor: read.actor, text: format!("{read:?} after {floor:?}") });
        }
    }
    stale
}

/// Counts the operations of each actor, by their kind.
pub(super) fn totals(entries: &[Entry]) -> BTreeMap<&'static str, (usize, usize)> {
    let mut totals: HashMap<&'static str, (usize, usize)> = HashMap::new();
    for entry in entries {
        let (reads, writes) = totals.entry(entry.actor).or_default();
        match entry.effect {
            Effect::Found(_) | Effect::Missing => *reads += 1,
            _ => *writes += 1,
        }
    }
    totals.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn stale(ops: &[(u64, u64, Effect)]) -> usize {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let entry = |&(began, ended, effect): &(u64, u64, Effect)| Entry {
            actor: "a",
            key: "k".to_owned(),
            began: at(began),
            ended: at(ended),
            effect,
        };
        stale_reads(&ops.iter().map(entry).collect::<Vec<_>>()).len()
    }

    #[test]
    fn read_shows_what_ended_before_it_began() {
        use Effect::{Found, Put};
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Found(5))]), 0);
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Found(6))]), 0);
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Found(4))]), 1);
        assert_eq!(stale(&[(1, 3, Put(5)), (2, 4, Found(4))]), 0, "they overlap");
        assert_eq!(stale(&[(1, 2, Found(5)), (3, 4, Found(4))]), 1, "another read has seen more");
        assert_eq!(stale(&[(1, 2, Put(7)), (1, 3, Put(6)), (4, 5, Found(6))]), 1);
    }

    #[test]
    fn absence_needs_a_deletion() {
        use Effect::{Deleted, Found, MaybeDeleted, Missing, Put};
        assert_eq!(stale(&[(1, 2, Missing)]), 0);
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Missing)]), 1);
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Deleted(6)), (5, 6, Missing)]), 0);
        assert_eq!(
            stale(&[(1, 2, Put(5)), (3, 6, Deleted(6)), (4, 5, Missing)]),
            0,
            "the deletion is under way"
        );
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Missing), (5, 6, Deleted(6))]), 1, "it began later");
        assert_eq!(stale(&[(1, 2, Deleted(4)), (3, 4, Put(5)), (5, 6, Missing)]), 1);
        assert_eq!(stale(&[(1, 2, MaybeDeleted), (3, 4, Put(5)), (5, 6, Missing)]), 0);
        assert_eq!(stale(&[(1, 2, Put(5)), (3, 4, Deleted(6)), (5, 6, Found(5))]), 1);
    }
}
