//! The guarantees of a watch, judged on the watch as its user holds it, across every reconnection.
//!
//! etcd's own robustness tests judge the same nine of each stream (`tests/robustness/validate/watch.go`, 3.6); here a
//! watch is to keep them however many streams it took.

mod following;
mod given;
mod resync;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use following::Following;

use super::{Rule, Verdict, log::Log};
use crate::history::{Action, Edge, History, Nanos, OpId, Rev, WatchId};

pub(super) fn check(history: &History, log: &Log<'_>, verdict: &mut Verdict) {
    let facts = Facts::of(history);
    let mut watches: BTreeMap<WatchId, Following<'_, '_>> = BTreeMap::new();
    for (line, record) in history.lines() {
        match &record.edge {
            Edge::WatchRequested { watch, request } => {
                watches.insert(*watch, Following::new(*watch, line, request, log, &facts));
            }
            Edge::Quiesced { revision } => {
                watches.values_mut().for_each(|following| following.quiesced(line, *revision));
            }
            edge => {
                let Some(watch) = watch_of(edge) else { continue };
                match watches.get_mut(&watch) {
                    Some(following) => following.take(line, record.t, edge, verdict),
                    None => verdict.add(Rule::Ended, [line], format!("watch {watch} was not asked for")),
                }
            }
        }
    }
    verdict.figures.watches = watches.len();
    watches.into_values().for_each(|following| following.finish(verdict));
}

fn watch_of(edge: &Edge) -> Option<WatchId> {
    match edge {
        Edge::WatchCreated { watch, .. }
        | Edge::WatchEvents { watch, .. }
        | Edge::WatchProgress { watch, .. }
        | Edge::WatchResynced { watch, .. }
        | Edge::WatchEnded { watch, .. } => Some(*watch),
        _ => None,
    }
}

/// The operations that the check of a watch needs.
#[derive(Debug, Default)]
struct Facts {
    /// The start of each write that changed something, and its revision.
    writes: Vec<(Nanos, Rev)>,
    /// The lines that ask for a compaction, and its revision.
    compactions: Vec<(usize, Rev)>,
}

impl Facts {
    fn of(history: &History) -> Self {
        let (mut facts, mut begun) = (Self::default(), BTreeMap::<OpId, Nanos>::new());
        for (line, record) in history.lines() {
            match &record.edge {
                Edge::Invoke { op, actions } => {
                    begun.insert(*op, record.t);
                    facts.compactions.extend(actions.iter().filter_map(|action| match action {
                        Action::Compact { revision } => Some((line, *revision)),
                        _ => None,
                    }));
                }
                Edge::Ok { op, revision, changed: Some(true) } => {
                    facts.writes.extend(begun.get(op).map(|begun| (*begun, *revision)));
                }
                _ => {}
            }
        }
        facts
    }

    /// The first revision that was certainly made after `t`.
    fn first_after(&self, t: Nanos) -> Option<Rev> {
        self.writes.iter().filter(|(begun, _)| *begun > t).map(|(_, revision)| *revision).min()
    }

    /// Returns `true` if the history before `revision` may have been compacted when line `line` was written.
    fn may_be_compacted(&self, revision: Rev, line: usize) -> bool {
        self.compactions.iter().any(|(asked, compacted)| *asked < line && *compacted >= revision)
    }
}
