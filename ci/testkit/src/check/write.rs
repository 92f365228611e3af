//! Compares the results of writers with the actual changes. Each put must have a unique value, which identifies it.

use std::collections::{BTreeMap, HashMap};

use super::{Rule, Verdict, log::Log};
use crate::history::{Action, Change, Edge, History, OpId, Rev, Value};

/// A write, and how it ended.
struct Write<'h> {
    op: OpId,
    invoked: usize,
    actions: &'h [Action],
    outcome: Option<(usize, &'h Edge)>,
}

/// The lines that record each put, and its revision.
struct Puts<'h> {
    seen: HashMap<(&'h str, &'h Value), Vec<(Rev, usize)>>,
}

pub(super) fn check(history: &History, log: &Log<'_>, verdict: &mut Verdict) {
    let puts = Puts::of(log);
    for write in writes(history) {
        write.check_once(&puts, verdict);
        match write.outcome {
            Some((line, Edge::Ok { revision, changed, .. })) => {
                verdict.figures.acknowledged += 1;
                if *changed == Some(true) {
                    write.check_acknowledged(line, *revision, &puts, log, verdict);
                }
            }
            Some((line, Edge::NotApplied { .. })) => write.check_not_applied(line, &puts, verdict),
            Some(_) => verdict.figures.unknown += 1,
            None => {}
        }
    }
}

/// In the order in which they began.
fn writes(history: &History) -> Vec<Write<'_>> {
    let mut writes: BTreeMap<OpId, Write<'_>> = BTreeMap::new();
    for (line, record) in history.lines() {
        match &record.edge {
            Edge::Invoke { op, actions } if actions.iter().any(Action::writes) => {
                writes.insert(*op, Write { op: *op, invoked: line, actions, outcome: None });
            }
            edge @ (Edge::Ok { op, .. } | Edge::NotApplied { op, .. } | Edge::Unknown { op, .. }) => {
                if let Some(write) = writes.get_mut(op) {
                    write.outcome = Some((line, edge));
                }
            }
            _ => {}
        }
    }
    let mut writes: Vec<_> = writes.into_values().collect();
    writes.sort_by_key(|write| write.invoked);
    writes
}

impl<'h> Puts<'h> {
    fn of(log: &Log<'h>) -> Self {
        let mut seen: HashMap<_, Vec<_>> = HashMap::new();
        for (revision, event) in log.changes().filter(|(_, event)| event.change == Change::Put) {
            let lines = seen.entry((event.key.as_str(), &event.value)).or_default();
            lines.push((event.revision, revision.line));
        }
        Self { seen }
    }

    fn of_write<'p>(&'p self, write: &'p Write<'_>) -> impl Iterator<Item = &'p [(Rev, usize)]> {
        write.actions.iter().filter_map(|action| match action {
            Action::Put { key, value, .. } => {
                Some(self.seen.get(&(key.as_str(), value)).map(Vec::as_slice).unwrap_or_default())
            }
            _ => None,
        })
    }
}

impl Write<'_> {
    fn check_once(&self, puts: &Puts<'_>, verdict: &mut Verdict) {
        for times in puts.of_write(self).filter(|times| times.len() > 1) {
            let what = format!("operation {} was applied {} times", self.op, times.len());
            verdict.add(Rule::Acknowledged, self.with(times), what);
        }
    }

    fn check_not_applied(&self, line: usize, puts: &Puts<'_>, verdict: &mut Verdict) {
        for times in puts.of_write(self).filter(|times| !times.is_empty()) {
            let what = format!("operation {} was said to be not applied, but was", self.op);
            let mut lines = self.with(times);
            lines.insert(1, line);
            verdict.add(Rule::NotApplied, lines, what);
        }
    }

    fn check_acknowledged(
        &self,
        line: usize,
        revision: Rev,
        puts: &Puts<'_>,
        log: &Log<'_>,
        verdict: &mut Verdict,
    ) {
        let missing = puts.of_write(self).any(|times| times.iter().all(|(at, _)| *at != revision));
        let witness = log.revision(revision).map(|revision| revision.line);
        if missing || witness.is_none() {
            let what = format!(
                "operation {} was acknowledged at revision {revision}, which does not have it",
                self.op
            );
            let lines = [self.invoked, line].into_iter().chain(witness).collect::<Vec<_>>();
            verdict.add(Rule::Acknowledged, lines, what);
        }
    }

    fn with(&self, times: &[(Rev, usize)]) -> Vec<usize> {
        std::iter::once(self.invoked).chain(times.iter().map(|(_, line)| *line)).collect()
    }
}

impl Action {
    fn writes(&self) -> bool {
        matches!(self, Self::Put { .. } | Self::Delete { .. } | Self::Revoke { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Limits, all},
        *,
    };
    use crate::history::{Event, Nanos, Record};

    /// Returns the violation for a put with this result that was applied at these revisions.
    fn broken(outcome: Edge, revisions: &[i64]) -> Vec<Rule> {
        let (key, value) = ("k".to_owned(), Value::of(b"v1"));
        let events = revisions.iter().map(|revision| Event {
            revision: Rev(*revision),
            change: Change::Put,
            key: key.clone(),
            value: value.clone(),
            is_create: false,
            lease: None,
            prev: None,
        });
        let actions = vec![Action::Put { key: key.clone(), value: value.clone(), lease: None }];
        let witness = Edge::Witness { member: 0, events: events.collect() };
        let edges = [Edge::Invoke { op: OpId(1), actions }, witness, outcome];
        let history = History::of(edges.map(|edge| Record { t: Nanos(0), edge }).to_vec());
        all(&history, &Limits::default()).violations().iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn a_write_happened_as_its_caller_was_told() {
        let ok = || Edge::Ok { op: OpId(1), revision: Rev(2), changed: Some(true) };
        let unknown = || Edge::Unknown { op: OpId(1), reason: String::new() };
        let not_applied = || Edge::NotApplied { op: OpId(1), reason: String::new() };
        assert_eq!(broken(ok(), &[2]), []);
        assert_eq!(broken(ok(), &[]), [Rule::Acknowledged]);
        assert_eq!(broken(ok(), &[3]), [Rule::Acknowledged]);
        assert_eq!(broken(ok(), &[2, 3]), [Rule::Acknowledged]);
        assert_eq!(broken(unknown(), &[2]), []);
        assert_eq!(broken(unknown(), &[]), []);
        assert_eq!(broken(unknown(), &[2, 3]), [Rule::Acknowledged]);
        assert_eq!(broken(not_applied(), &[]), []);
        assert_eq!(broken(not_applied(), &[2]), [Rule::NotApplied]);
    }
}
