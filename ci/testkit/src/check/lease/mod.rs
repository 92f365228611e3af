//! Leases: called lost no later than the server ends them, and never while renewals are answered in time.
//!
//! The deadline of a lease counts from when its last answered renewal was sent: the server may have renewed it as early
//! as that.

mod kept;
#[cfg(test)]
mod tests;
mod thaws;

use std::collections::{BTreeMap, HashMap};

pub(super) use kept::Kept;
use thaws::Thaws;

use super::{Limits, Verdict, log::Log};
use crate::history::{Action, Change, Edge, History, Keys, LeaseId, Nanos, OpId, Rev};

pub(super) fn check(history: &History, leases: &Leases, limits: &Limits, verdict: &mut Verdict) {
    verdict.figures.leases = leases.kept.len();
    verdict.figures.thawed = leases.revoked_early.len();
    verdict.figures.renewals = leases.kept.values().map(Kept::renewals).sum();
    let end = history.lines().next_back().map_or(Nanos(0), |(_, record)| record.t);
    for (lease, kept) in &leases.kept {
        kept.check_after_loss(*lease, verdict);
        kept.check_deadline(*lease, end, limits, verdict);
        let ended = leases.expiries.witnessed.get(lease).copied();
        kept.check_early(*lease, ended.map(|(seen, _)| seen), limits, verdict);
        if let Some((seen, line)) = ended.filter(|_| !leases.revoked_early.contains_key(lease)) {
            kept.check_late(*lease, seen, line, verdict);
        }
    }
}

/// Compares the clients' knowledge of leases with the actions of the server.
pub(super) struct Leases {
    kept: BTreeMap<LeaseId, Kept>,
    expiries: Expiries,
    /// Ended by a member that had been paused, and when, while their holders had to believe in them.
    revoked_early: BTreeMap<LeaseId, Nanos>,
}

impl Leases {
    pub(super) fn of(history: &History, log: &Log<'_>, limits: &Limits) -> Self {
        let (kept, expiries, thaws) = (Kept::all(history), Expiries::of(history, log), Thaws::of(history));
        let early = |(lease, (ended, _)): (&LeaseId, &(Nanos, usize))| {
            let known = kept.get(lease)?;
            let believed = known.ended().is_none_or(|(over, _)| over > *ended);
            (believed && thaws.may_have_revoked(known, *ended, limits)).then_some((*lease, *ended))
        };
        let revoked_early = expiries.witnessed.iter().filter_map(early).collect();
        Self { kept, expiries, revoked_early }
    }

    /// The client's knowledge of a lease, if it was recorded.
    pub(super) fn kept(&self, lease: LeaseId) -> Option<&Kept> {
        self.kept.get(&lease)
    }

    /// Returns `true` if its client relies on the lease at `t`.
    pub(super) fn relied_on(&self, lease: LeaseId, t: Nanos) -> bool {
        let kept = self.kept(lease);
        kept.is_some_and(|kept| kept.ended().is_none_or(|(ended, _)| ended > t))
            && self.revoked_early.get(&lease).is_none_or(|ended| *ended > t)
    }

    /// Until when what is held by a lease was held, by what was known at `t`, and by the store where a thawed member
    /// was early.
    pub(super) fn deadline(&self, lease: LeaseId, t: Nanos) -> Option<Nanos> {
        let deadline = self.kept(lease)?.deadline(t)?;
        Some(self.revoked_early.get(&lease).map_or(deadline, |ended| deadline.min(*ended)))
    }
}

/// The times at which the server ended leases. Shown by the end of an attached key that no client deleted.
struct Expiries {
    witnessed: BTreeMap<LeaseId, (Nanos, usize)>,
}

impl Expiries {
    fn of(history: &History, log: &Log<'_>) -> Self {
        let deletions = Deletions::of(history);
        let mut witnessed = BTreeMap::new();
        for (revision, event) in log.changes().filter(|(_, event)| event.change == Change::Delete) {
            let Some(lease) = log.before(&event.key, event.revision).and_then(|state| state.lease) else {
                continue;
            };
            if !deletions.may_have_deleted(event.revision, revision.seen, &event.key) {
                witnessed.entry(lease).or_insert((revision.seen, revision.line));
            }
        }
        Self { witnessed }
    }
}

/// Requested deletions with their times, and the revision of each if it is known.
struct Deletions<'h> {
    asked: Vec<(Nanos, &'h Keys, Option<Rev>)>,
}

impl<'h> Deletions<'h> {
    fn of(history: &'h History) -> Self {
        let answered: HashMap<OpId, Option<Rev>> = history
            .lines()
            .filter_map(|(_, record)| match &record.edge {
                Edge::Ok { op, revision, .. } => Some((*op, Some(*revision))),
                Edge::NotApplied { op, .. } => Some((*op, None)),
                _ => None,
            })
            .collect();
        let mut asked = Vec::new();
        for (_, record) in history.lines() {
            let Edge::Invoke { op, actions } = &record.edge else { continue };
            let outcome = answered.get(op).copied();
            if outcome == Some(None) {
                continue;
            }
            asked.extend(actions.iter().filter_map(|action| match action {
                Action::Delete { keys } => Some((record.t, keys, outcome.flatten())),
                _ => None,
            }));
        }
        Self { asked }
    }

    fn may_have_deleted(&self, revision: Rev, seen: Nanos, key: &str) -> bool {
        self.asked
            .iter()
            .any(|(asked, keys, at)| *asked <= seen && keys.cover(key) && at.is_none_or(|at| at == revision))
    }
}
