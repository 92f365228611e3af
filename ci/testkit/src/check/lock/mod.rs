//! Locks: who holds one when, in the order of the fences, and nobody at the same time as another.
//!
//! A hold lasts from being acquired until it is given back, called lost, or its lease is over by what its holder knew: whoever
//! relies on it longer is at fault for that alone.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use super::{
    Limits, Rule, Verdict,
    lease::{Kept, Leases},
    log::Log,
};
use crate::history::{Edge, History, HoldId, LeaseId, Nanos, Rev};

/// One hold of a lock.
#[derive(Debug)]
struct Hold {
    acquired: (Nanos, usize),
    fence: Rev,
    lease: LeaseId,
    /// Given back, or called lost.
    ended: Option<(Nanos, usize)>,
}

pub(super) fn check(history: &History, log: &Log<'_>, limits: &Limits, verdict: &mut Verdict) {
    let leases = Leases::of(history, log, limits);
    let end = history.lines().next_back().map_or(Nanos(0), |(_, record)| record.t);
    for (name, mut holds) in holds(history, verdict) {
        verdict.figures.holds += holds.len();
        for hold in &holds {
            check_late(name, hold, leases.kept(hold.lease), end, limits, verdict);
        }
        holds.sort_by_key(|hold| hold.fence);
        for pair in holds.windows(2) {
            check_order(name, &pair[0], &pair[1], verdict);
        }
        check_overlaps(name, &mut holds, &leases, end, verdict);
    }
}

/// The holds of each lock.
fn holds<'h>(history: &'h History, verdict: &mut Verdict) -> BTreeMap<&'h str, Vec<Hold>> {
    let mut names: HashMap<HoldId, (&str, Hold)> = HashMap::new();
    for (line, record) in history.lines() {
        let seen = (record.t, line);
        match &record.edge {
            Edge::LockAcquired { hold, name, fence, lease } => {
                let begun = Hold { acquired: seen, fence: *fence, lease: *lease, ended: None };
                names.insert(*hold, (name, begun));
            }
            Edge::LockLost { hold, .. } | Edge::Unlock { hold } => match names.get_mut(hold) {
                Some((_, hold)) => drop(hold.ended.get_or_insert(seen)),
                None => verdict.add(Rule::LockOrder, [line], format!("hold {hold} was never acquired")),
            },
            _ => {}
        }
    }
    let mut holds: BTreeMap<&str, Vec<Hold>> = BTreeMap::new();
    for (name, hold) in names.into_values() {
        holds.entry(name).or_default().push(hold);
    }
    holds
}

/// A hold ends with its lease at the latest.
fn check_late(
    name: &str,
    hold: &Hold,
    lease: Option<&Kept>,
    end: Nanos,
    limits: &Limits,
    verdict: &mut Verdict,
) {
    let Some((lost, line)) = lease.and_then(Kept::lost) else { return };
    let (ended, _) = hold.ended.unwrap_or((end, line));
    if hold.acquired.0 < lost && ended > lost.after(limits.lateness) {
        let what = format!(
            "{name} was held until {:.1} ms, but its lease was lost at {:.1} ms",
            ended.millis(),
            lost.millis()
        );
        verdict.add(Rule::LockLate, [hold.acquired.1, line], what);
    }
}

fn check_order(name: &str, lower: &Hold, higher: &Hold, verdict: &mut Verdict) {
    if lower.fence == higher.fence || lower.acquired > higher.acquired {
        let what = format!(
            "{name} was acquired with fence {} at {:.1} ms and with {} at {:.1} ms",
            lower.fence,
            lower.acquired.0.millis(),
            higher.fence,
            higher.acquired.0.millis()
        );
        verdict.add(Rule::LockOrder, [lower.acquired.1, higher.acquired.1], what);
    }
}

/// Each hold is over before the next one begins.
fn check_overlaps(name: &str, holds: &mut [Hold], leases: &Leases, end: Nanos, verdict: &mut Verdict) {
    holds.sort_by_key(|hold| hold.acquired);
    let mut last: Option<(Nanos, usize, Rev)> = None;
    for hold in holds {
        let (begun, line) = hold.acquired;
        if let Some((until, other, fence)) = last.filter(|(until, ..)| begun < *until) {
            let what = format!(
                "{name} was held with fence {fence} until {:.1} ms, but acquired with {} at {:.1} ms",
                until.millis(),
                hold.fence,
                begun.millis()
            );
            verdict.add(Rule::LockOverlap, [other, line], what);
        }
        let until = hold.until(leases, end);
        last = last.max(Some((until, line, hold.fence)));
    }
}

impl Hold {
    /// When its holder stopped relying on it, or had to.
    fn until(&self, leases: &Leases, end: Nanos) -> Nanos {
        let ended = self.ended.map_or(end, |(ended, _)| ended);
        leases.deadline(self.lease, ended).map_or(ended, |deadline| ended.min(deadline))
    }
}
