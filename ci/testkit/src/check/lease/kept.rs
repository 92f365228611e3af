//! The client's knowledge of a lease over time.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    check::{Limits, Rule, Verdict},
    history::{Action, Edge, History, LeaseId, Nanos},
};

/// A time and the line that records it.
type Seen = (Nanos, usize);

/// A lease from its grant to its end.
#[derive(Debug, Default)]
pub(in crate::check) struct Kept {
    granted: Option<Seen>,
    /// The time of the renewal and the deadline at that time.
    answers: Vec<(Seen, Nanos)>,
    /// Renewals sent.
    sent: Vec<Seen>,
    /// The server reported the lease as unknown, or its owner revoked it.
    gone: Option<Seen>,
    revoked: Option<Seen>,
    lost: Vec<Seen>,
}

impl Kept {
    /// Every lease of a history.
    pub(in crate::check) fn all(history: &History) -> BTreeMap<LeaseId, Self> {
        let mut leases: BTreeMap<LeaseId, Self> = BTreeMap::new();
        for (line, record) in history.lines() {
            let seen = (record.t, line);
            match &record.edge {
                Edge::LeaseGranted { lease, sent, ttl_ms } => {
                    let kept = leases.entry(*lease).or_default();
                    kept.granted = Some(seen);
                    kept.answered(seen, *sent, *ttl_ms);
                }
                Edge::KeepaliveSent { lease } => leases.entry(*lease).or_default().sent.push(seen),
                Edge::KeepaliveAcked { lease, sent, ttl_ms } => {
                    leases.entry(*lease).or_default().answered(seen, *sent, *ttl_ms);
                }
                Edge::LeaseLost { lease, .. } => leases.entry(*lease).or_default().lost.push(seen),
                Edge::Invoke { actions, .. } => {
                    for action in actions {
                        if let Action::Revoke { lease } = action {
                            leases.entry(*lease).or_default().revoked.get_or_insert(seen);
                        }
                    }
                }
                _ => {}
            }
        }
        leases.retain(|_, kept| kept.granted.is_some());
        leases
    }

    /// Until when it lived, by what was known at `t`.
    pub(in crate::check) fn deadline(&self, t: Nanos) -> Option<Nanos> {
        self.answers.iter().filter(|((known, _), _)| *known <= t).map(|(_, until)| *until).max()
    }

    /// The time at which the lease was first reported lost.
    pub(in crate::check) fn lost(&self) -> Option<Seen> {
        self.lost.first().copied()
    }

    pub(super) fn renewals(&self) -> usize {
        self.answers.len().saturating_sub(1)
    }

    fn answered(&mut self, seen: Seen, sent: Nanos, ttl_ms: u64) {
        if ttl_ms == 0 {
            self.gone.get_or_insert(seen);
        } else {
            self.answers.push((seen, sent.after(Duration::from_millis(ttl_ms))));
        }
    }

    /// Once it was called lost, that stands.
    pub(super) fn check_after_loss(&self, lease: LeaseId, verdict: &mut Verdict) {
        let Some((lost, line)) = self.lost() else { return };
        for (_, again) in self.lost.iter().skip(1) {
            verdict.add(Rule::LeaseAfterLoss, [line, *again], format!("lease {lease} was lost twice"));
        }
        for (_, sent) in self.sent.iter().filter(|(sent, _)| *sent > lost) {
            let what = format!("lease {lease} was renewed after it was lost");
            verdict.add(Rule::LeaseAfterLoss, [line, *sent], what);
        }
    }

    /// It is called lost when its deadline passes, unless it was given back.
    pub(super) fn check_deadline(&self, lease: LeaseId, end: Nanos, limits: &Limits, verdict: &mut Verdict) {
        let until = self.ended().map_or(end, |(ended, _)| ended);
        let mut lived = None;
        for ((known, line), deadline) in &self.answers {
            if let Some((deadline, before)) = lived.filter(|_| *known <= until) {
                self.overdue(lease, deadline, *known, [before, *line], limits, verdict);
            }
            lived = lived.max(Some((*deadline, *line)));
        }
        if let Some((deadline, before)) = lived {
            let line = self.ended().map_or(before, |(_, line)| line);
            self.overdue(lease, deadline, until, [before, line], limits, verdict);
        }
    }

    fn overdue(
        &self,
        lease: LeaseId,
        deadline: Nanos,
        held: Nanos,
        lines: [usize; 2],
        limits: &Limits,
        verdict: &mut Verdict,
    ) {
        if held > deadline.after(limits.lateness) {
            let what = format!(
                "lease {lease} was held until {:.1} ms, but its deadline was {:.1} ms",
                held.millis(),
                deadline.millis()
            );
            verdict.add(Rule::LeaseLate, lines, what);
        }
    }

    /// It was called lost, or given back, before the server ended it.
    pub(super) fn check_late(&self, lease: LeaseId, ended: Nanos, line: usize, verdict: &mut Verdict) {
        match self.ended() {
            Some((lost, _)) if lost <= ended => {}
            lost => {
                let when = lost
                    .map_or_else(|| "never".to_owned(), |(lost, _)| format!("at {:.1} ms", lost.millis()));
                let what = format!(
                    "lease {lease} was called lost {when}, but the server had ended it at {:.1} ms",
                    ended.millis()
                );
                verdict.add(
                    Rule::LeaseLate,
                    [vec![line], lost.map(|(_, line)| line).into_iter().collect()].concat(),
                    what,
                );
            }
        }
    }

    /// Checks that the lease was not reported lost before its deadline, unless the server or its owner ended it.
    pub(super) fn check_early(
        &self,
        lease: LeaseId,
        ended: Option<Nanos>,
        limits: &Limits,
        verdict: &mut Verdict,
    ) {
        let Some((lost, line)) = self.lost() else { return };
        let over = |at: Option<Nanos>| at.is_some_and(|at| at <= lost);
        if over(ended) || over(self.gone.map(|seen| seen.0)) || over(self.revoked.map(|seen| seen.0)) {
            return;
        }
        let latest =
            self.answers.iter().filter(|((known, _), _)| *known <= lost).max_by_key(|(_, until)| *until);
        let Some(((_, answer), deadline)) = latest else { return };
        if lost < deadline.before(limits.margin) {
            let what = format!(
                "lease {lease} was called lost at {:.1} ms, but lived until {:.1} ms",
                lost.millis(),
                deadline.millis()
            );
            verdict.add(Rule::LeaseEarly, [*answer, line], what);
        }
    }

    /// Returns the time at which its owner stopped relying on it.
    pub(super) fn ended(&self) -> Option<Seen> {
        [self.lost(), self.revoked].into_iter().flatten().min()
    }
}
