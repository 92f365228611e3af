//! Every call of a run: what it was, when, and how it ended.

use std::{
    fmt::Display,
    io::{self, Write as _},
    ops::Range,
    time::Duration,
};

use etcd_client_core::{Error, Outcome};
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) kind: Kind,
    pub(super) key: String,
    pub(super) start: Instant,
    pub(super) end: Instant,
    /// The term of the answer, or why there is none.
    pub(super) outcome: Result<u64, Error>,
}

impl Call {
    pub(super) fn failure(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }

    pub(super) fn took(&self) -> Duration {
        self.end - self.start
    }

    /// The call and its failure, its times relative to `fault`.
    pub(super) fn describe(&self, fault: Instant) -> String {
        let relative = |at: Instant| match at.checked_duration_since(fault) {
            Some(after) => format!("+{} ms", after.as_millis()),
            None => format!("-{} ms", (fault - at).as_millis()),
        };
        let end = self.failure().map_or_else(|| "answered".to_owned(), |error| error.report().to_string());
        format!(
            "{:?} of {} from {} to {}: {end}",
            self.kind,
            self.key,
            relative(self.start),
            relative(self.end)
        )
    }
}

#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) calls: Vec<Call>,
}

impl History {
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.kind == kind)
    }

    pub(super) fn failed(&self, kind: Kind) -> impl Iterator<Item = &Call> {
        self.of(kind).filter(|call| call.outcome.is_err())
    }

    /// From `fault` to the end of the first call that began after it and succeeded.
    pub(super) fn first_success(&self, fault: Instant) -> Duration {
        let after = self.calls.iter().filter(|call| call.start >= fault && call.outcome.is_ok());
        after.map(|call| call.end).min().expect("calls went on after the fault") - fault
    }

    /// How long calls took at the most in the second before `at`.
    pub(super) fn slowest_before(&self, at: Instant) -> Duration {
        let before =
            self.calls.iter().filter(|call| call.end <= at && at - call.end < Duration::from_secs(1));
        before.map(Call::took).max().unwrap_or_default()
    }

    /// How many calls were under way at `at`.
    pub(super) fn under_way(&self, at: Instant) -> usize {
        self.calls.iter().filter(|call| call.start <= at && call.end > at).count()
    }

    /// Whether leadership moved while a call was in flight, by the terms of the answers before it and until its end.
    fn moved_during(&self, call: &Call) -> bool {
        let until = |at: Instant| {
            let answered = self.calls.iter().filter(move |other| other.end <= at);
            answered.filter_map(|other| other.outcome.as_ref().ok()).max()
        };
        until(call.start) < until(call.end)
    }

    /// How often leadership moved, planned or not.
    pub(super) fn moves(&self) -> u64 {
        let terms = || self.calls.iter().filter_map(|call| call.outcome.as_ref().ok());
        terms().max().zip(terms().min()).map_or(0, |(last, first)| last - first)
    }

    pub(super) fn slowest(&self, kind: Kind) -> Duration {
        self.of(kind).map(Call::took).max().unwrap_or_default()
    }

    // ===== what must hold =====

    pub(super) fn assert_no_read_failed(&self, fault: Instant) {
        self.assert_none("reads failed", fault, self.failed(Kind::Read));
    }

    /// None but those in doubt that were in flight when leadership moved, which no client can help.
    pub(super) fn assert_no_write_failed(&self, fault: Instant) {
        self.assert_writes_fail_only(fault, "in flight while leadership moved", |_| false);
    }

    /// Whatever fails must be a write in doubt that `excused` knows a reason for, or during which leadership moved.
    pub(super) fn assert_writes_fail_only(&self, fault: Instant, why: &str, excused: impl Fn(&Call) -> bool) {
        let in_doubt = |call: &&Call| call.failure().is_some_and(|error| error.outcome() == Outcome::Unknown);
        let others = self
            .failed(Kind::Write)
            .filter(|call| !in_doubt(call) || !(excused(call) || self.moved_during(call)));
        self.assert_none(&format!("writes failed otherwise than {why}"), fault, others);
    }

    /// Every call of a kind that began in `period` ended within `bound`.
    pub(super) fn assert_within(&self, kind: Kind, period: Range<Instant>, bound: Duration, fault: Instant) {
        let late = self.of(kind).filter(|call| period.contains(&call.start) && call.took() > bound);
        self.assert_none(&format!("{kind:?}s took longer than {bound:?}"), fault, late);
    }

    pub(super) fn assert_first_success(&self, fault: Instant, bound: Duration) {
        let first = self.first_success(fault);
        assert!(first <= bound, "the first success came {first:?} after the fault");
    }

    fn assert_none<'c>(&self, what: &str, fault: Instant, calls: impl Iterator<Item = &'c Call>) {
        let found: Vec<&Call> = calls.collect();
        let shown: Vec<String> = found.iter().take(5).map(|call| call.describe(fault)).collect();
        assert!(
            found.is_empty(),
            "{} of {} {what}; the first:\n{}\n{}",
            found.len(),
            self.calls.len(),
            shown.join("\n"),
            self.figures(&[fault])
        );
    }

    // ===== figures =====

    pub(super) fn print(&self, scenario: impl Display, faults: &[Instant]) {
        print(format_args!("{scenario}: {}", self.figures(faults)));
    }

    fn figures(&self, faults: &[Instant]) -> String {
        let count = |kind| (self.of(kind).count(), self.failed(kind).count());
        let ((reads, reads_failed), (writes, writes_failed)) = (count(Kind::Read), count(Kind::Write));
        let unknown = self.failed(Kind::Write).filter_map(Call::failure);
        let unknown = unknown.filter(|error| error.outcome() == Outcome::Unknown).count();
        let first = faults.iter().map(|fault| self.first_success(*fault)).max().unwrap_or_default();
        let under_way: Vec<String> = faults.iter().map(|fault| self.under_way(*fault).to_string()).collect();
        format!(
            "{reads} reads, {reads_failed} failed, slowest {}; {writes} writes, {writes_failed} failed, {unknown} unknown, \
             slowest {}; {} terms began; under way at the fault {}, first success after it {}",
            milliseconds(self.slowest(Kind::Read)),
            milliseconds(self.slowest(Kind::Write)),
            self.moves(),
            under_way.join("/"),
            milliseconds(first),
        )
    }
}

/// One line on stderr, which the test harness does not swallow.
pub(super) fn print(figures: impl Display) {
    // Fails only where nobody reads.
    let _ = writeln!(io::stderr(), "acceptance: {figures}");
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}
