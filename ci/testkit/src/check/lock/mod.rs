//! Locks: their holders in the order of the fencing tokens, and no two holders at a time that may not share the lock.
//!
//! A hold lasts until it is released, reported lost, or its lease expires by the knowledge of its holder. A holder that
//! relies on it for longer is at fault for that alone.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use super::{
    Limits, Rule, Verdict,
    lease::{Kept, Leases},
    place::Places,
};
use crate::history::{Edge, History, HoldId, LeaseId, Nanos, Rev, Share};

/// One hold of a lock.
#[derive(Debug)]
pub(super) struct Hold {
    acquired: (Nanos, usize),
    fence: Rev,
    lease: LeaseId,
    share: Share,
    /// Given back, or called lost.
    ended: Option<(Nanos, usize)>,
}

pub(super) fn check(
    history: &History,
    leases: &Leases,
    places: &Places<'_>,
    limits: &Limits,
    verdict: &mut Verdict,
) {
    let end = history.lines().next_back().map_or(Nanos(0), |(_, record)| record.t);
    for (name, mut holds) in Hold::all(history, verdict) {
        holds.retain(|hold| !hold.is_void(name, leases, places));
        verdict.figures.holds += holds.len();
        for hold in &holds {
            check_late(name, hold, leases.kept(hold.lease), end, limits, verdict);
        }
        holds.sort_by_key(|hold| hold.fence);
        check_orders(name, &holds, verdict);
        holds.sort_by_key(|hold| hold.acquired);
        let until = |hold: &Hold| hold.until(name, leases, places, limits, end);
        check_overlaps(name, &holds, until, verdict);
    }
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

/// Of two that keep each other out the one with the lower fence comes first; `holds` are in the order of their fences.
fn check_orders(name: &str, holds: &[Hold], verdict: &mut Verdict) {
    let (mut last, mut last_alone): (Option<&Hold>, Option<&Hold>) = (None, None);
    for hold in holds {
        if let Some(twin) = last.filter(|last| last.fence == hold.fence) {
            out_of_order(name, twin, hold, verdict);
        }
        let before = if hold.share == Share::Alone { last } else { last_alone };
        if let Some(before) =
            before.filter(|before| before.fence < hold.fence && before.acquired > hold.acquired)
        {
            out_of_order(name, before, hold, verdict);
        }
        let later = |known: Option<&'_ Hold>| known.is_none_or(|known| known.acquired <= hold.acquired);
        if later(last) {
            last = Some(hold);
        }
        if hold.share == Share::Alone && later(last_alone) {
            last_alone = Some(hold);
        }
    }
}

fn out_of_order(name: &str, lower: &Hold, higher: &Hold, verdict: &mut Verdict) {
    let what = format!(
        "{name} was acquired with fence {} at {:.1} ms and with {} at {:.1} ms",
        lower.fence,
        lower.acquired.0.millis(),
        higher.fence,
        higher.acquired.0.millis()
    );
    verdict.add(Rule::LockOrder, [lower.acquired.1, higher.acquired.1], what);
}

/// Each hold is over before one begins that it keeps out; `holds` are in the order of their beginnings.
fn check_overlaps(name: &str, holds: &[Hold], until: impl Fn(&Hold) -> Nanos, verdict: &mut Verdict) {
    let mut others: Vec<(Nanos, &Hold)> = Vec::new();
    for hold in holds {
        let (begun, line) = hold.acquired;
        others.retain(|(until, _)| begun < *until);
        if let Some((until, other)) = hold.kept_out_by(&others) {
            let what = format!(
                "{name} was held with fence {} until {:.1} ms, but acquired with {} at {:.1} ms",
                other.fence,
                until.millis(),
                hold.fence,
                begun.millis()
            );
            verdict.add(Rule::LockOverlap, [other.acquired.1, line], what);
        }
        others.push((until(hold), hold));
    }
}

impl Hold {
    /// The holds of each lock.
    pub(super) fn all<'h>(history: &'h History, verdict: &mut Verdict) -> BTreeMap<&'h str, Vec<Self>> {
        let mut names: HashMap<HoldId, (&str, Self)> = HashMap::new();
        for (line, record) in history.lines() {
            let seen = (record.t, line);
            match &record.edge {
                Edge::LockAcquired { hold, name, fence, lease, share } => {
                    let (fence, lease, share) = (*fence, *lease, *share);
                    names.insert(*hold, (name, Self { acquired: seen, fence, lease, share, ended: None }));
                }
                Edge::LockLost { hold, .. } | Edge::Unlock { hold } => match names.get_mut(hold) {
                    Some((_, hold)) => drop(hold.ended.get_or_insert(seen)),
                    None => verdict.add(Rule::LockOrder, [line], format!("hold {hold} was never acquired")),
                },
                _ => {}
            }
        }
        let mut holds: BTreeMap<&str, Vec<Self>> = BTreeMap::new();
        for (name, hold) in names.into_values() {
            holds.entry(name).or_default().push(hold);
        }
        holds
    }

    /// Returns `true` if the lock was held, with the key that this revision created, when a line was written.
    pub(super) fn is_at(&self, line: usize, created: Rev) -> bool {
        self.fence == created && self.acquired.1 < line && self.ended.is_none_or(|(_, ended)| ended > line)
    }

    /// Returns `true` if the key was gone before the holder reported its hold.
    ///
    /// Go's `Campaign` reports a hold if its session ended while it waited, because it does not read its key again
    /// (`client/v3/concurrency/election.go`, v3.7.3). Such a hold is not checked.
    fn is_void(&self, name: &str, leases: &Leases, places: &Places<'_>) -> bool {
        let deleted = places.deleted(name, self.fence).filter(|_| leases.kept(self.lease).is_none());
        deleted.is_some_and(|deleted| deleted < self.acquired.0)
    }

    /// One of the others that may not hold the lock together with this one.
    fn kept_out_by<'h>(&self, others: &[(Nanos, &'h Self)]) -> Option<(Nanos, &'h Self)> {
        let latest = |others: &mut dyn Iterator<Item = &(Nanos, &'h Self)>| {
            others.max_by_key(|other| other.0).copied()
        };
        match self.share {
            Share::Permits(of) => {
                let mut permits = others.iter().filter(|(_, other)| matches!(other.share, Share::Permits(_)));
                if permits.clone().count() < of { None } else { latest(&mut permits) }
            }
            Share::Anybody => None,
            share => latest(&mut others.iter().filter(|(_, other)| {
                other.share != Share::Anybody && (share == Share::Alone || other.share == Share::Alone)
            })),
        }
    }

    /// Returns the time at which its holder stopped relying on it, or had to. If the holder's knowledge of its lease is
    /// not recorded, the end of the key counts.
    fn until(&self, name: &str, leases: &Leases, places: &Places<'_>, limits: &Limits, end: Nanos) -> Nanos {
        let ended = self.ended.map_or(end, |(ended, _)| ended);
        match leases.kept(self.lease) {
            Some(_) => leases.deadline(self.lease, ended).map_or(ended, |deadline| ended.min(deadline)),
            None => {
                let deleted = places.deleted(name, self.fence);
                deleted.map_or(ended, |deleted| ended.min(deleted.before(limits.witness)))
            }
        }
    }

    /// The start of the hold, and the time at which its holder stopped relying on it.
    pub(super) fn span(&self, leases: &Leases, end: Nanos) -> (Nanos, Nanos) {
        let ended = self.ended.map_or(end, |(ended, _)| ended);
        (self.acquired.0, leases.deadline(self.lease, ended).map_or(ended, |deadline| ended.min(deadline)))
    }

    pub(super) fn line(&self) -> usize {
        self.acquired.1
    }
}
