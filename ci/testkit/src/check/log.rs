//! The actual changes of every revision as the witnesses saw them, and the store at each revision.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use super::{Rule, Verdict};
use crate::history::{Change, Edge, Event, History, Keys, LeaseId, Nanos, Rev, Value, WatchRequest};

/// The changes of one revision.
#[derive(Debug)]
pub(super) struct Revision<'h> {
    /// The first line of any member that records the change, and its time.
    pub(super) line: usize,
    pub(super) seen: Nanos,
    pub(super) events: Vec<&'h Event>,
}

/// A key as a revision left it.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) revision: Rev,
    /// Nothing where it was deleted.
    pub(super) value: Option<Value>,
    pub(super) lease: Option<LeaseId>,
}

/// Every revision that a witness saw.
#[derive(Debug, Default)]
pub(super) struct Log<'h> {
    revisions: BTreeMap<Rev, Revision<'h>>,
    keys: HashMap<&'h str, Vec<State>>,
}

impl<'h> Log<'h> {
    /// Returns the log of all witnesses. A disagreement and a revision that none of them saw are violations.
    pub(super) fn of(history: &'h History, verdict: &mut Verdict) -> Self {
        let mut log = Self::default();
        for (line, record) in history.lines() {
            if let Edge::Witness { member, events } = &record.edge {
                for events in events.chunk_by(|a, b| a.revision == b.revision) {
                    log.take(line, record.t, *member, events, verdict);
                }
            }
        }
        log.check_dense(verdict);
        log.replay();
        verdict.figures.revisions = log.revisions.len();
        log
    }

    fn take(&mut self, line: usize, t: Nanos, member: usize, events: &'h [Event], verdict: &mut Verdict) {
        let Some(revision) = events.first().map(|event| event.revision) else { return };
        let Some(known) = self.revisions.get(&revision) else {
            self.revisions.insert(revision, Revision { line, seen: t, events: events.iter().collect() });
            return;
        };
        if !known.events.iter().copied().eq(events) {
            let what = format!("member {member} tells another story of revision {revision}");
            verdict.add(Rule::Witness, [known.line, line], what);
        }
    }

    /// Each revision changes something: one without changes was missed.
    fn check_dense(&self, verdict: &mut Verdict) {
        for ((before, earlier), (after, later)) in self.revisions.iter().zip(self.revisions.iter().skip(1)) {
            if before.next() != *after {
                let what = format!("no witness saw revisions {} to {}", before.next(), after.previous());
                verdict.add(Rule::Witness, [earlier.line, later.line], what);
            }
        }
    }

    fn replay(&mut self) {
        for event in self.revisions.values().flat_map(|revision| &revision.events) {
            let put = event.change == Change::Put;
            let value = put.then(|| event.value.clone());
            let lease = event.lease.filter(|_| put);
            let states = self.keys.entry(event.key.as_str()).or_default();
            states.push(State { revision: event.revision, value, lease });
        }
    }

    /// The last revision that a witness saw.
    pub(super) fn last(&self) -> Option<Rev> {
        self.revisions.last_key_value().map(|(revision, _)| *revision)
    }

    pub(super) fn revision(&self, revision: Rev) -> Option<&Revision<'h>> {
        self.revisions.get(&revision)
    }

    /// Every change, with the revision that made it.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&Revision<'h>, &'h Event)> {
        self.revisions
            .values()
            .flat_map(|revision| revision.events.iter().map(move |event| (revision, *event)))
    }

    /// Returns the changes that a watch has to deliver, with the lines that record them.
    pub(super) fn matching<'l>(
        &'l self,
        request: &'l WatchRequest,
        range: RangeInclusive<Rev>,
    ) -> impl Iterator<Item = (usize, &'h Event)> + 'l {
        let revisions = (!range.is_empty()).then(|| self.revisions.range(range)).into_iter().flatten();
        let events =
            revisions.flat_map(|(_, revision)| revision.events.iter().map(|event| (revision.line, *event)));
        events.filter(|(_, event)| request.asks_for(event))
    }

    /// The key before a revision, if it existed then.
    pub(super) fn before(&self, key: &str, revision: Rev) -> Option<&State> {
        let states = self.keys.get(key)?;
        let earlier = states.partition_point(|state| state.revision < revision);
        states.get(earlier.checked_sub(1)?).filter(|state| state.value.is_some())
    }

    /// The keys of a range that ever were.
    pub(super) fn keys<'l>(&'l self, keys: &'l Keys) -> impl Iterator<Item = &'h str> + 'l {
        self.keys.keys().copied().filter(|key| keys.cover(key))
    }
}

impl WatchRequest {
    /// Returns `true` if the keys and filters of the watch include the change.
    pub(super) fn asks_for(&self, event: &Event) -> bool {
        let left_out = match event.change {
            Change::Put => self.no_put,
            Change::Delete => self.no_delete,
        };
        !left_out && self.keys.cover(&event.key)
    }
}
