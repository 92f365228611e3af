//! Queues: each item is put at most once, taken at most once, and no more of them vanish than takings failed.

use std::collections::{BTreeMap, HashMap};

use super::{Rule, Verdict, log::Log};
use crate::history::{Change, Edge, History, OpId, Rev, Value};

/// The operations on one queue.
#[derive(Debug, Default)]
struct Queue<'h> {
    offered: HashMap<&'h Value, Offer>,
    taken: HashMap<&'h Value, Vec<usize>>,
    /// Takings that neither gave an item nor said that none was taken.
    unclear: usize,
}

#[derive(Debug)]
struct Offer {
    line: usize,
    /// At which revision, as far as it is known; nothing where it was not applied.
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    NotApplied(usize),
    Unknown,
}

pub(super) fn check(history: &History, log: &Log<'_>, verdict: &mut Verdict) {
    for (name, queue) in queues(history) {
        verdict.figures.items += queue.taken.len();
        let puts = puts(log, name);
        queue.check_twice(name, &puts, verdict);
        queue.check_invented(name, &puts, verdict);
        queue.check_lost(name, log, verdict);
    }
}

fn queues(history: &History) -> BTreeMap<&str, Queue<'_>> {
    let mut outcomes: HashMap<OpId, (usize, &Edge)> = HashMap::new();
    for (line, record) in history.lines() {
        if let Edge::Ok { op, .. }
        | Edge::NotApplied { op, .. }
        | Edge::Unknown { op, .. }
        | Edge::Dequeued { op, .. } = &record.edge
        {
            outcomes.insert(*op, (line, &record.edge));
        }
    }
    let mut queues: BTreeMap<&str, Queue<'_>> = BTreeMap::new();
    for (line, record) in history.lines() {
        match &record.edge {
            Edge::Enqueue { op, queue, item } => {
                let outcome = match outcomes.get(op) {
                    Some((_, Edge::Ok { .. })) => Outcome::Done,
                    Some((line, Edge::NotApplied { .. })) => Outcome::NotApplied(*line),
                    _ => Outcome::Unknown,
                };
                queues.entry(queue).or_default().offered.insert(item, Offer { line, outcome });
            }
            Edge::Dequeue { op, queue } => {
                let queue = queues.entry(queue).or_default();
                match outcomes.get(op) {
                    Some((line, Edge::Dequeued { item: Some(item), .. })) => {
                        queue.taken.entry(item).or_default().push(*line);
                    }
                    Some((_, Edge::Dequeued { item: None, .. } | Edge::NotApplied { .. })) => {}
                    _ => queue.unclear += 1,
                }
            }
            _ => {}
        }
    }
    queues
}

/// Returns the lines that record a put of each item of a queue.
fn puts<'h>(log: &Log<'h>, queue: &str) -> HashMap<&'h Value, Vec<usize>> {
    let mut puts: HashMap<_, Vec<_>> = HashMap::new();
    for (revision, event) in log.changes() {
        if event.change == Change::Put && is_item(&event.key, queue) {
            puts.entry(&event.value).or_default().push(revision.line);
        }
    }
    puts
}

fn is_item(key: &str, queue: &str) -> bool {
    key.strip_prefix(queue).is_some_and(|rest| rest.starts_with('/'))
}

impl Queue<'_> {
    fn check_twice(&self, name: &str, puts: &HashMap<&Value, Vec<usize>>, verdict: &mut Verdict) {
        for (what, lines) in [("taken from", &self.taken), ("put into", puts)] {
            let mut twice: Vec<_> = lines.iter().filter(|(_, lines)| lines.len() > 1).collect();
            twice.sort_by_key(|(_, lines)| lines[0]);
            for (item, lines) in twice {
                let what = format!("item {item} was {what} {name} {} times", lines.len());
                verdict.add(Rule::ItemTwice, lines.clone(), what);
            }
        }
    }

    fn check_invented(&self, name: &str, puts: &HashMap<&Value, Vec<usize>>, verdict: &mut Verdict) {
        for (item, lines) in &self.taken {
            if !self.offered.contains_key(*item) {
                verdict.add(
                    Rule::ItemInvented,
                    lines.clone(),
                    format!("{item} was taken from {name}, and never put"),
                );
            }
        }
        for (item, Offer { line, outcome }) in &self.offered {
            if let (Outcome::NotApplied(told), Some(put)) = (outcome, puts.get(item)) {
                let what = format!("item {item} was said to be not put into {name}, but was");
                verdict.add(Rule::ItemInvented, [&[*line, *told], put.as_slice()].concat(), what);
            }
        }
    }

    /// Reports items that were acknowledged, are missing at the end, and were taken by no client.
    fn check_lost(&self, name: &str, log: &Log<'_>, verdict: &mut Verdict) {
        let Some(end) = log.last() else { return };
        let left: Vec<Value> = log.store(name, end).collect();
        let done = self.offered.iter().filter(|(_, offer)| offer.outcome == Outcome::Done);
        let mut lost: Vec<_> =
            done.filter(|(item, _)| !self.taken.contains_key(*item) && !left.contains(item)).collect();
        lost.sort_by_key(|(_, offer)| offer.line);
        if lost.len() > self.unclear {
            let (count, unclear) = (lost.len(), self.unclear);
            let lines: Vec<usize> = lost.iter().map(|(_, offer)| offer.line).collect();
            let what = format!("{count} items vanished from {name}, where {unclear} takings are unclear");
            verdict.add(Rule::ItemLost, lines, what);
        }
    }
}

impl Log<'_> {
    /// The values below a name at a revision.
    fn store<'l>(&'l self, name: &'l str, revision: Rev) -> impl Iterator<Item = Value> + 'l {
        let keys = crate::history::Keys::prefix(format!("{name}/"));
        let keys: Vec<&str> = self.keys(&keys).collect();
        keys.into_iter().filter_map(move |key| self.before(key, revision.next())?.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Limits, all},
        *,
    };
    use crate::history::{Event, Nanos, Record};

    const OFFER: OpId = OpId(1);

    /// Returns the violation for an item with this result of its put, this number of puts, and takes with these
    /// results.
    fn broken(outcome: Edge, puts: i64, taken: impl IntoIterator<Item = Edge>) -> Vec<Rule> {
        let item = Value::of(b"i");
        let mut edges = vec![Edge::Enqueue { op: OFFER, queue: "q".to_owned(), item: item.clone() }];
        let event = |revision, change| Event {
            revision: Rev(revision),
            change,
            key: "q/1".to_owned(),
            value: if change == Change::Put { item.clone() } else { Value::of(b"") },
            is_create: change == Change::Put,
            lease: None,
            prev: None,
        };
        for put in 0..puts {
            let events = vec![event(2 * put + 2, Change::Put), event(2 * put + 3, Change::Delete)];
            edges.push(Edge::Witness { member: 0, events });
        }
        edges.push(outcome);
        for (number, outcome) in taken.into_iter().enumerate() {
            let op = OpId(2 + number as u64);
            edges.push(Edge::Dequeue { op, queue: "q".to_owned() });
            edges.push(outcome);
        }
        let history = History::of(edges.into_iter().map(|edge| Record { t: Nanos(0), edge }).collect());
        all(&history, &Limits::default()).violations().iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn an_item_is_put_once_taken_once_and_not_lost() {
        let ok = || Edge::Ok { op: OFFER, revision: Rev(2), changed: Some(true) };
        let unknown = |op| Edge::Unknown { op: OpId(op), reason: String::new() };
        let not_applied = || Edge::NotApplied { op: OFFER, reason: String::new() };
        let taken = |op| Edge::Dequeued { op: OpId(op), item: Some(Value::of(b"i")) };
        let none = |op| Edge::Dequeued { op: OpId(op), item: None };
        assert_eq!(broken(ok(), 1, [taken(2), none(3)]), []);
        assert_eq!(broken(unknown(1), 0, [none(2)]), []);
        assert_eq!(broken(unknown(1), 1, [taken(2)]), []);
        assert_eq!(broken(ok(), 1, [taken(2), taken(3)]), [Rule::ItemTwice]);
        assert_eq!(broken(ok(), 2, [taken(2), unknown(3)]), [Rule::ItemTwice]);
        assert_eq!(broken(not_applied(), 0, []), []);
        assert_eq!(broken(not_applied(), 1, [taken(2)]), [Rule::ItemInvented]);
        assert_eq!(broken(ok(), 1, [unknown(2)]), []);
        assert_eq!(broken(ok(), 1, [none(2)]), [Rule::ItemLost]);
        let other = Edge::Dequeued { op: OpId(2), item: Some(Value::of(b"other")) };
        assert_eq!(broken(unknown(1), 0, [other]), [Rule::ItemInvented]);
    }
}
