//! The keys that hold locks, elections and barriers: their holders, and leftover keys.

use std::collections::HashMap;

use super::{Rule, Verdict, lease::Leases, lock::Hold, log::Log};
use crate::history::{Change, Edge, History, LeaseId, Nanos, Rev};

/// Every key from its creation to its deletion.
#[derive(Debug, Default)]
pub(super) struct Places<'h> {
    lives: Vec<Life<'h>>,
    /// By the revision that created them.
    created: HashMap<Rev, Vec<usize>>,
}

#[derive(Debug)]
struct Life<'h> {
    key: &'h str,
    created: Rev,
    line: usize,
    /// As of the last put.
    lease: Option<LeaseId>,
    deleted: Option<(Rev, Nanos)>,
}

impl<'h> Places<'h> {
    pub(super) fn of(log: &Log<'h>) -> Self {
        let (mut places, mut open) = (Self::default(), HashMap::new());
        for (revision, event) in log.changes() {
            let key = event.key.as_str();
            if event.change == Change::Delete {
                if let Some(life) = open.remove(key) {
                    let life: &mut Life<'_> = &mut places.lives[life];
                    life.deleted = Some((event.revision, revision.seen));
                }
                continue;
            }
            let life = *open.entry(key).or_insert_with(|| {
                let (created, line) = (event.revision, revision.line);
                places.created.entry(created).or_default().push(places.lives.len());
                places.lives.push(Life { key, created, line, lease: None, deleted: None });
                places.lives.len() - 1
            });
            places.lives[life].lease = event.lease;
        }
        places
    }

    /// Returns the time at which the key that this revision created was seen to be gone.
    pub(super) fn deleted(&self, name: &str, created: Rev) -> Option<Nanos> {
        let lives = self.created.get(&created)?.iter().map(|life| &self.lives[*life]);
        lives.filter(|life| belongs(life.key, name)).find_map(|life| life.deleted).map(|(_, seen)| seen)
    }

    /// Returns the keys at a revision.
    fn at(&self, revision: Rev) -> impl Iterator<Item = &Life<'h>> {
        let lives = self.lives.iter().filter(move |life| life.created <= revision);
        lives.filter(move |life| life.deleted.is_none_or(|(deleted, _)| deleted > revision))
    }
}

/// Returns `true` if a name stands for the key, or if the key is queued below it.
fn belongs(key: &str, name: &str) -> bool {
    key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Keys of an ended session go with its lease. Sessions of others are unknown.
pub(super) fn check(history: &History, leases: &Leases, places: &Places<'_>, verdict: &mut Verdict) {
    let holds = Hold::all(history, &mut Verdict::default());
    verdict.figures.places += holds
        .keys()
        .map(|name| places.lives.iter().filter(|life| belongs(life.key, name)).count())
        .sum::<usize>();
    for (line, record) in history.lines() {
        let Edge::Settled { revision, names } = &record.edge else { continue };
        for life in places.at(*revision) {
            let Some(name) = names.iter().find(|name| belongs(life.key, name)) else { continue };
            let lives = life.lease.is_none_or(|lease| leases.relied_on(lease, record.t));
            let held =
                holds.get(name.as_str()).into_iter().flatten().any(|hold| hold.is_at(line, life.created));
            if lives && !held {
                let what =
                    format!("{} is there since revision {}, and nobody holds it", life.key, life.created);
                verdict.add(Rule::PlaceUnowned, [life.line, line], what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Limits, Rule, all},
        *,
    };
    use crate::history::{Event, HoldId, Record, Share, Value};

    /// A key of `name` is put at revision 2 and deleted at 3, where `deleted`; its session lives; it is held as `held`
    /// says.
    fn broken(key: &str, deleted: bool, held: Option<(i64, bool)>, lost: bool) -> Vec<Rule> {
        let event = |revision, change| Event {
            revision: Rev(revision),
            change,
            key: key.to_owned(),
            value: Value::of(b""),
            is_create: change == Change::Put,
            lease: (change == Change::Put).then_some(LeaseId(7)),
            prev: None,
        };
        let witness = |event| Edge::Witness { member: 0, events: vec![event] };
        let mut edges = vec![
            Edge::LeaseGranted { lease: LeaseId(7), sent: Nanos(0), ttl_ms: 1000 },
            witness(event(2, Change::Put)),
        ];
        if let Some((fence, given_back)) = held {
            let (hold, name, lease) = (HoldId(1), "job".to_owned(), LeaseId(7));
            edges.push(Edge::LockAcquired { hold, name, fence: Rev(fence), lease, share: Share::Alone });
            edges.extend(given_back.then_some(Edge::Unlock { hold }));
        }
        edges.extend(deleted.then(|| witness(event(3, Change::Delete))));
        if lost {
            edges.push(Edge::LeaseLost { lease: LeaseId(7), reason: String::new() });
        }
        edges.push(Edge::Settled { revision: Rev(3), names: vec!["other".to_owned(), "job".to_owned()] });
        let history = History::of(edges.into_iter().map(|edge| Record { t: Nanos(1), edge }).collect());
        let verdict = all(&history, &Limits::default());
        let rules = verdict.violations().iter().map(|violation| violation.rule);
        rules.filter(|rule| *rule == Rule::PlaceUnowned).collect()
    }

    #[test]
    fn a_key_that_nobody_holds_is_found_once_everything_has_settled() {
        assert_eq!(broken("job/7", false, None, false), [Rule::PlaceUnowned]);
        assert_eq!(broken("job", false, None, false), [Rule::PlaceUnowned]);
        assert_eq!(broken("job/7", true, None, false), []);
        assert_eq!(broken("job/7", false, Some((2, false)), false), []);
        assert_eq!(broken("job/7", false, Some((2, true)), false), [Rule::PlaceUnowned]);
        // Another key of the session, from before or after the hold.
        assert_eq!(broken("job/7", false, Some((1, false)), false), [Rule::PlaceUnowned]);
        assert_eq!(broken("jobs/7", false, None, false), []);
        assert_eq!(broken("job/7", false, None, true), []);
    }
}
