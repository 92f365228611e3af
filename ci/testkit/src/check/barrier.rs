//! Barriers: no client passes a held barrier, and double barriers are entered and left together.

use std::collections::{BTreeMap, HashMap};

use super::{Rule, Verdict, lease::Leases, lock::Hold};
use crate::history::{Edge, History, HoldId, Nanos, OpId};

/// A time and the line that records it.
type Seen = (Nanos, usize);

/// One participation in a double barrier.
#[derive(Debug)]
struct Part<'h> {
    name: &'h str,
    of: usize,
    came: Seen,
    entered: Option<Seen>,
    leaving: Option<Seen>,
    /// Left, or withdrew.
    gone: Option<Seen>,
    withdrawn: bool,
}

pub(super) fn check(history: &History, leases: &Leases, verdict: &mut Verdict) {
    check_passed(history, leases, verdict);
    let (parts, settled) = parts(history);
    for part in parts.values() {
        let others: Vec<&Part<'_>> = parts.values().filter(|other| other.name == part.name).collect();
        if let Some((_, line)) = part.entered {
            verdict.figures.passes += 1;
            part.check_alone(line, &others, &settled, verdict);
        }
        if let Some((_, line)) = part.gone.filter(|_| !part.withdrawn) {
            part.check_left(line, &others, verdict);
        }
    }
}

/// A wait ends only where no hold lasts from before its beginning until after its end.
fn check_passed(history: &History, leases: &Leases, verdict: &mut Verdict) {
    let holds = Hold::all(history, &mut Verdict::default());
    let mut waits: HashMap<OpId, (&str, Seen)> = HashMap::new();
    for (line, record) in history.lines() {
        match &record.edge {
            Edge::Passing { op, name } => drop(waits.insert(*op, (name, (record.t, line)))),
            Edge::Passed { op } => {
                let Some((name, (began, since))) = waits.remove(op) else { continue };
                verdict.figures.passes += 1;
                let lasting = |hold: &&Hold| {
                    let (from, until) = hold.span(leases, Nanos(u64::MAX));
                    from < began && until > record.t
                };
                if let Some(hold) = holds.get(name).into_iter().flatten().find(lasting) {
                    let what = format!("{name} was passed, but held from before until after");
                    verdict.add(Rule::BarrierPassed, [hold.line(), since, line], what);
                }
            }
            _ => {}
        }
    }
}

/// Every participation, and the lines where everything had settled.
fn parts(history: &History) -> (BTreeMap<HoldId, Part<'_>>, Vec<usize>) {
    let (mut parts, mut settled) = (BTreeMap::new(), Vec::new());
    for (line, record) in history.lines() {
        let seen = Some((record.t, line));
        let (Edge::Entering { hold, .. }
        | Edge::Entered { hold }
        | Edge::Leaving { hold }
        | Edge::Left { hold }
        | Edge::Withdrawn { hold }) = &record.edge
        else {
            settled.extend(matches!(record.edge, Edge::Settled { .. }).then_some(line));
            continue;
        };
        if let Edge::Entering { name, of, .. } = &record.edge {
            let came = (record.t, line);
            let part =
                Part { name, of: *of, came, entered: None, leaving: None, gone: None, withdrawn: false };
            parts.insert(*hold, part);
        }
        let Some(part) = parts.get_mut(hold) else { continue };
        match &record.edge {
            Edge::Entered { .. } => part.entered = seen,
            Edge::Leaving { .. } => part.leaving = seen,
            Edge::Left { .. } => part.gone = seen,
            Edge::Withdrawn { .. } => (part.gone, part.withdrawn) = (seen, true),
            _ => {}
        }
    }
    (parts, settled)
}

impl Part<'_> {
    /// Until which line it may count for others: one that withdrew has a key until that is removed.
    fn counts_until(&self, settled: &[usize]) -> usize {
        match self.gone {
            None => usize::MAX,
            Some((_, gone)) if self.withdrawn => {
                settled.iter().copied().find(|line| *line > gone).unwrap_or(usize::MAX)
            }
            Some((_, gone)) => gone,
        }
    }

    fn check_alone(&self, line: usize, others: &[&Self], settled: &[usize], verdict: &mut Verdict) {
        let came = |other: &&&Self| other.came.1 < line && other.counts_until(settled) > self.came.1;
        let present = others.iter().filter(came).count();
        if present < self.of {
            let what = format!("{} was entered while {present} of {} had come", self.name, self.of);
            verdict.add(Rule::BarrierAlone, [self.came.1, line], what);
        }
    }

    /// Those who had entered when this one began to leave.
    fn check_left(&self, line: usize, others: &[&Self], verdict: &mut Verdict) {
        let Some((_, leaving)) = self.leaving else { return };
        let stays = |other: &&&Self| {
            let inside = other.entered.is_some_and(|(_, entered)| entered < leaving);
            let left = [other.leaving, other.gone].into_iter().flatten().any(|(_, left)| left < line);
            inside && !left
        };
        if let Some(other) = others.iter().find(stays) {
            let what = format!("{} was left while another was inside", self.name);
            verdict.add(Rule::BarrierLeft, [other.came.1, leaving, line], what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Limits, all},
        *,
    };
    use crate::history::{LeaseId, Record, Rev, Share};

    fn broken(edges: impl IntoIterator<Item = Edge>) -> Vec<Rule> {
        let records = edges.into_iter().enumerate();
        let records = records.map(|(t, edge)| Record { t: Nanos(t as u64), edge }).collect();
        let verdict = all(&History::of(records), &Limits::default());
        verdict.violations().iter().map(|violation| violation.rule).collect()
    }

    fn came(hold: u64) -> Edge {
        Edge::Entering { hold: HoldId(hold), name: "m".to_owned(), of: 2 }
    }

    fn entered(hold: u64) -> Edge {
        Edge::Entered { hold: HoldId(hold) }
    }

    fn leaving(hold: u64) -> Edge {
        Edge::Leaving { hold: HoldId(hold) }
    }

    fn left(hold: u64) -> Edge {
        Edge::Left { hold: HoldId(hold) }
    }

    fn settled() -> Edge {
        Edge::Settled { revision: Rev(1), names: Vec::new() }
    }

    #[test]
    fn two_come_and_leave_together() {
        let round =
            |a, b| [came(a), came(b), entered(a), entered(b), leaving(a), leaving(b), left(b), left(a)];
        assert_eq!(broken([round(1, 2), round(3, 4)].concat()), []);
        assert_eq!(broken([came(1), entered(1)]), [Rule::BarrierAlone]);
        // Those of the round before are no company.
        let alone = [round(1, 2).to_vec(), vec![came(3), entered(3), came(4)]].concat();
        assert_eq!(broken(alone), [Rule::BarrierAlone]);
        let early = [came(1), came(2), entered(1), entered(2), leaving(1), left(1), leaving(2)];
        assert_eq!(broken(early), [Rule::BarrierLeft]);
    }

    #[test]
    fn one_that_withdrew_counts_until_everything_has_settled() {
        let withdrawn = || Edge::Withdrawn { hold: HoldId(1) };
        assert_eq!(broken([came(1), withdrawn(), came(2), entered(2)]), []);
        assert_eq!(broken([came(1), withdrawn(), settled(), came(2), entered(2)]), [Rule::BarrierAlone]);
    }

    #[test]
    fn nobody_passes_what_is_held_all_the_while() {
        let up = || Edge::LockAcquired {
            hold: HoldId(1),
            name: "b".to_owned(),
            fence: Rev(2),
            lease: LeaseId(1),
            share: Share::Alone,
        };
        let down = || Edge::Unlock { hold: HoldId(1) };
        let waits = || Edge::Passing { op: OpId(1), name: "b".to_owned() };
        let passes = || Edge::Passed { op: OpId(1) };
        assert_eq!(broken([up(), waits(), down(), passes()]), []);
        assert_eq!(broken([waits(), up(), passes(), down()]), []);
        assert_eq!(broken([up(), waits(), passes(), down()]), [Rule::BarrierPassed]);
        assert_eq!(broken([up(), waits(), passes()]), [Rule::BarrierPassed]);
    }
}
