//! The results of a check.

use std::fmt::{self, Write as _};

use crate::history::{History, Nanos, WatchId};

/// The violated guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The watches of the members agree and together saw every revision. If not, the server or the run is at fault.
    Witness,

    /// A write that was acknowledged happened, once.
    Acknowledged,
    /// A write that was said to be not applied did not happen.
    NotApplied,

    /// A watch gives only what it asked for.
    Filter,
    /// Revisions never go back within a watch.
    Ordered,
    /// A watch gives no change twice.
    Unique,
    /// The changes of one revision come in one response.
    Atomic,
    /// Nothing comes at or before a revision up to which everything was said to be given.
    Bookmarkable,
    /// A watch from a revision begins with the first change from there on.
    Resumable,
    /// A watch gives every change, as it happened, up to the last revision that it gave.
    Reliable,
    /// A put is called a creation exactly where the key was absent before.
    IsCreate,
    /// The pair before a change is the one that was there.
    PrevKv,
    /// A watch that skips history reports it, was allowed to, and delivers the difference to the current state.
    Resynced,
    /// Nothing comes before a watch is there, or after it has ended.
    Ended,

    /// A lease is reported lost no later than the server ends it, and at its deadline.
    LeaseLate,
    /// A lease is not called lost while renewals are answered in time.
    LeaseEarly,
    /// A lease that was called lost is not renewed, nor lost again.
    LeaseAfterLoss,

    /// No two hold a lock at once, as long as the lease of the first lives.
    LockOverlap,
    /// Later holders have higher fences.
    LockOrder,
    /// A lock is lost at the latest with the lease it lives on.
    LockLate,
    /// At the end, no key of a lock, an election or a barrier is left without a holder.
    PlaceUnowned,

    /// No item is taken twice, or enters its queue twice.
    ItemTwice,
    /// Every taken item was put, and no item was taken whose put was not applied.
    ItemInvented,
    /// No more items vanish than takings whose outcome is unknown.
    ItemLost,

    /// No client passes a barrier that is held during the whole wait.
    BarrierPassed,
    /// No client enters a double barrier before all have arrived.
    BarrierAlone,
    /// No client leaves a double barrier before all leave.
    BarrierLeft,
}

/// One breach, with the lines that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The violated guarantee.
    pub rule: Rule,
    /// The lines of the history, the first of which is 1.
    pub lines: Vec<usize>,
    /// The description of the violation.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} (line", self.rule, self.what)?;
        for (place, line) in self.lines.iter().enumerate() {
            write!(f, "{} {line}", if place == 0 { "" } else { "," })?;
        }
        f.write_str(")")
    }
}

/// The number of checked facts. A verdict on nothing is clean as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Revisions that a witness saw.
    pub revisions: usize,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Writes whose outcome is unknown.
    pub unknown: usize,
    /// Watches.
    pub watches: usize,
    /// Changes that they gave.
    pub events: usize,
    /// Notices of progress that they gave.
    pub progress: usize,
    /// Leases.
    pub leases: usize,
    /// Leases that a member which had been paused may have revoked while they were renewed elsewhere.
    pub thawed: usize,
    /// Renewals that were answered.
    pub renewals: usize,
    /// Holds of locks.
    pub holds: usize,
    /// Keys of locks, elections and barriers that were created.
    pub places: usize,
    /// Items that were taken from queues.
    pub items: usize,
    /// Times that a barrier was passed or entered.
    pub passes: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} revisions; {} writes acknowledged, {} unknown; {} watches gave {} events and {} notices of progress; {} leases \
             ({} revoked by a thawed member), {} renewals; {} holds of locks by {} keys; {} items taken; {} barriers passed",
            self.revisions,
            self.acknowledged,
            self.unknown,
            self.watches,
            self.events,
            self.progress,
            self.leases,
            self.thawed,
            self.renewals,
            self.holds,
            self.places,
            self.items,
            self.passes
        )
    }
}

/// The longest delay of a watch, which is a figure and not a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Lag {
    /// From when a witness saw a revision that was made while the watch was there, until the watch gave it.
    pub nanos: Nanos,
    /// The watch.
    pub watch: WatchId,
    /// The line that gives it.
    pub line: usize,
}

/// The results of all checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    violations: Vec<Violation>,
    pub(super) lags: Vec<Lag>,
    pub(super) figures: Figures,
}

/// The number of violations that a report shows in full.
const SHOWN: usize = 20;

impl Verdict {
    /// Returns `true` if there is no violation.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Returns the violations.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Returns the number of checked facts.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Returns the longest delay of each watch, in descending order.
    pub fn lags(&self) -> &[Lag] {
        &self.lags
    }

    /// Returns a report for people: the number of checked facts, the violations, and their lines.
    pub fn report(&self, history: &History) -> String {
        let mut report = format!("{} violations in {}\n", self.violations.len(), self.figures);
        for violation in self.violations.iter().take(SHOWN) {
            // Writing to a string does not fail.
            let _ = writeln!(report, "{violation}");
            for line in &violation.lines {
                let _ = writeln!(report, "  {line}: {}", shortened(history.line(*line).unwrap_or_default()));
            }
        }
        if let Some(more @ 1..) = self.violations.len().checked_sub(SHOWN) {
            let _ = writeln!(report, "and {more} more");
        }
        report
    }

    pub(super) fn add(&mut self, rule: Rule, lines: impl Into<Vec<usize>>, what: impl Into<String>) {
        self.violations.push(Violation { rule, lines: lines.into(), what: what.into() });
    }
}

/// Responses can be long.
fn shortened(mut line: String) -> String {
    const LONGEST: usize = 600;
    if let Some((cut, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(cut);
        line.push_str(" ...");
    }
    line
}
