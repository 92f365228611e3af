//! All that a watch gave without a gap, held against what it had to give.

use std::collections::HashSet;

use crate::{
    check::{Rule, Verdict, log::Log},
    history::{Event, Rev, WatchId, WatchRequest},
};

/// The first revision that is to be given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    /// Exactly this one.
    From(Rev),
    /// This one, or the first that was given if that is earlier: the watch says from now, and not what now was.
    AtLatest(Rev),
    /// The first that was given.
    Unknown,
}

/// The delivered events in their order.
#[derive(Debug)]
pub(super) struct Given<'h> {
    /// The line from which on it counts.
    since: usize,
    pub(super) begin: Begin,
    events: Vec<(usize, &'h Event)>,
    /// The last revision that was given in full, and the line that says so.
    upto: Option<(Rev, usize)>,
}

impl<'h> Given<'h> {
    pub(super) fn new(since: usize, begin: Begin) -> Self {
        Self { since, begin, events: Vec::new(), upto: None }
    }

    pub(super) fn take(&mut self, line: usize, event: &'h Event) {
        self.events.push((line, event));
        self.reaches(event.revision, line);
    }

    /// Everything up to `revision` is said to be given.
    pub(super) fn reaches(&mut self, revision: Rev, line: usize) {
        self.upto = self.upto.max(Some((revision, line)));
    }

    pub(super) fn upto(&self) -> Option<Rev> {
        self.upto.map(|(revision, _)| revision)
    }

    pub(super) fn judge(&self, watch: WatchId, request: &WatchRequest, log: &Log<'h>, verdict: &mut Verdict) {
        let Some((upto, line)) = self.upto else { return };
        if log.last().is_none_or(|last| last < upto) {
            let what = format!("watch {watch} is at revision {upto}, which no witness saw");
            verdict.add(Rule::Witness, [line], what);
        }
        let Some(begin) = self.first() else { return };
        let expected: Vec<_> = log.matching(request, begin..=upto).collect();
        if matches!(self.begin, Begin::From(_)) {
            self.check_first(watch, &expected, line, verdict);
        }
        self.check_missing(watch, &expected, line, verdict);
        self.check_same(watch, &expected, verdict);
    }

    fn first(&self) -> Option<Rev> {
        let given = self.events.iter().map(|(_, event)| event.revision).min();
        match self.begin {
            Begin::From(revision) => Some(revision),
            Begin::AtLatest(revision) => Some(given.map_or(revision, |given| given.min(revision))),
            Begin::Unknown => given,
        }
    }

    fn check_first(&self, watch: WatchId, expected: &[(usize, &Event)], upto: usize, verdict: &mut Verdict) {
        let Some((witness, expected)) = expected.first() else { return };
        let first = self.events.first();
        if first.is_none_or(|(_, first)| (first.revision, &first.key) != (expected.revision, &expected.key)) {
            let what = format!(
                "watch {watch} did not begin with {} of revision {}",
                expected.key, expected.revision
            );
            let line = first.map_or(upto, |(line, _)| *line);
            verdict.add(Rule::Resumable, [self.since, *witness, line], what);
        }
    }

    fn check_missing(
        &self,
        watch: WatchId,
        expected: &[(usize, &Event)],
        upto: usize,
        verdict: &mut Verdict,
    ) {
        let given: HashSet<_> =
            self.events.iter().map(|(_, event)| (event.revision, event.key.as_str())).collect();
        let mut missing =
            expected.iter().filter(|(_, event)| !given.contains(&(event.revision, event.key.as_str())));
        let Some((witness, event)) = missing.next() else { return };
        let later = self.events.iter().find(|(_, later)| later.revision > event.revision);
        let line = later.map_or(upto, |(line, _)| *line);
        let what = format!("watch {watch} did not give {} of revision {}", event.key, event.revision);
        let more = missing.clone().count();
        let until = missing.next_back().map_or(event.revision, |(_, event)| event.revision);
        let what = if more == 0 { what } else { format!("{what}, nor {more} more until {until}") };
        verdict.add(Rule::Reliable, [*witness, line], what);
    }

    /// Checks that the delivered events happened, with the same contents and in the same order within a revision.
    fn check_same(&self, watch: WatchId, expected: &[(usize, &Event)], verdict: &mut Verdict) {
        let mut place = 0;
        for (line, event) in &self.events {
            let same = |other: &&Event| (other.revision, &other.key) == (event.revision, &event.key);
            let Some(offset) = expected[place..].iter().position(|(_, other)| same(other)) else {
                let elsewhere = expected.iter().find(|(_, other)| same(other));
                // Out of order and twice are rules of their own.
                if elsewhere.is_none_or(|(_, other)| self.is_shuffled(other)) {
                    let what =
                        format!("watch {watch} gave {} of revision {}, which", event.key, event.revision);
                    let what =
                        format!("{what} {}", elsewhere.map_or("did not happen", |_| "came in another order"));
                    let witness = elsewhere.map(|(witness, _)| *witness);
                    verdict.add(Rule::Reliable, [vec![*line], witness.into_iter().collect()].concat(), what);
                }
                continue;
            };
            place += offset;
            let (witness, other) = expected[place];
            if (event.change, &event.value, event.lease) != (other.change, &other.value, other.lease) {
                let what =
                    format!("watch {watch} gave {} of revision {} otherwise", event.key, event.revision);
                verdict.add(Rule::Reliable, [witness, *line], what);
            }
        }
    }

    /// Returns `true` if an event was delivered once, but at another position than it has within its revision.
    fn is_shuffled(&self, event: &Event) -> bool {
        let given = || self.events.iter().map(|(_, given)| *given);
        let same = given().filter(|given| (given.revision, &given.key) == (event.revision, &event.key));
        let ordered = self.events.is_sorted_by_key(|(_, given)| given.revision);
        ordered && same.count() == 1
    }
}
