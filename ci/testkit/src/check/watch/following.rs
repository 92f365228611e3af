//! One watch, response by response.

use std::collections::HashMap;

use super::{
    Facts,
    given::{Begin, Given},
};
use crate::{
    check::{Lag, Rule, Verdict, log::Log},
    history::{Change, Edge, Event, Nanos, Rev, WatchId, WatchRequest},
};

/// A revision up to which everything was said to be given, and the line that says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bookmark {
    pub(super) revision: Rev,
    pub(super) line: usize,
}

/// The state of a watch so far.
#[derive(Debug)]
pub(super) struct Following<'h, 'l> {
    pub(super) watch: WatchId,
    pub(super) request: &'h WatchRequest,
    pub(super) log: &'l Log<'h>,
    facts: &'l Facts,
    requested: usize,
    created: Option<(usize, Nanos)>,
    ended: Option<usize>,
    lag: Option<Lag>,
    pub(super) bookmark: Option<Bookmark>,
    /// The last event, and its line.
    pub(super) last: Option<(&'h Event, usize)>,
    seen: HashMap<(Rev, &'h str), usize>,
    /// The events delivered since the watch started or last skipped history.
    pub(super) given: Given<'h>,
}

impl<'h, 'l> Following<'h, 'l> {
    pub(super) fn new(
        watch: WatchId,
        line: usize,
        request: &'h WatchRequest,
        log: &'l Log<'h>,
        facts: &'l Facts,
    ) -> Self {
        let begin = request.from.map_or(Begin::Unknown, Begin::From);
        Self {
            watch,
            request,
            log,
            facts,
            requested: line,
            created: None,
            ended: None,
            lag: None,
            bookmark: None,
            last: None,
            seen: HashMap::new(),
            given: Given::new(line, begin),
        }
    }

    pub(super) fn take(&mut self, line: usize, t: Nanos, edge: &'h Edge, verdict: &mut Verdict) {
        if let Some(ended) = self.ended {
            verdict.add(Rule::Ended, [ended, line], format!("watch {} had ended", self.watch));
        }
        match edge {
            Edge::WatchCreated { revision, .. } => self.created(line, t, *revision),
            Edge::WatchEvents { events, .. } => {
                self.note_lag(line, t, events);
                self.events(line, events, verdict);
            }
            Edge::WatchProgress { revision, .. } => self.progress(line, *revision, verdict),
            Edge::WatchResynced { revision, events, .. } => self.resynced(line, *revision, events, verdict),
            Edge::WatchEnded { .. } => self.ended = Some(line),
            _ => {}
        }
    }

    /// The load is over.
    pub(super) fn quiesced(&mut self, line: usize, revision: Rev) {
        if self.created.is_some() && self.ended.is_none() {
            self.given.reaches(revision, line);
        }
    }

    pub(super) fn finish(self, verdict: &mut Verdict) {
        verdict.lags.extend(self.lag);
        self.given.judge(self.watch, self.request, self.log, verdict);
    }

    fn created(&mut self, line: usize, t: Nanos, revision: Option<Rev>) {
        self.created = Some(self.created.unwrap_or((line, t)));
        if self.request.from.is_some() {
            return;
        }
        if let Some(revision) = revision {
            self.bookmark = Some(Bookmark { revision, line });
            self.given.begin = Begin::From(revision.next());
        } else if let Some(first) = self.facts.first_after(t) {
            self.given.begin = Begin::AtLatest(first);
        }
    }

    fn events(&mut self, line: usize, events: &'h [Event], verdict: &mut Verdict) {
        if self.created.is_none() {
            verdict.add(
                Rule::Ended,
                [self.requested, line],
                format!("watch {} is not there yet", self.watch),
            );
        }
        self.check_atomic(line, events, verdict);
        for event in events {
            verdict.figures.events += 1;
            self.check_filter(line, event, verdict);
            self.check_order(line, event, verdict);
            self.check_unique(line, event, verdict);
            self.check_bookmark(line, event, verdict);
            self.check_create(line, event, verdict);
            self.check_previous(line, event, verdict);
            self.given.take(line, event);
            if self.last.is_none_or(|(last, _)| last.revision <= event.revision) {
                self.last = Some((event, line));
            }
        }
    }

    /// Of what was made while the watch was there.
    fn note_lag(&mut self, line: usize, t: Nanos, events: &[Event]) {
        let seen = events.first().and_then(|event| self.log.revision(event.revision)).map(|seen| seen.seen);
        let Some((seen, (_, created))) = seen.zip(self.created) else { return };
        if created < seen {
            let nanos = Nanos(t.0.saturating_sub(seen.0));
            self.lag = self.lag.max(Some(Lag { nanos, watch: self.watch, line }));
        }
    }

    /// A revision is never split over responses.
    fn check_atomic(&self, line: usize, events: &[Event], verdict: &mut Verdict) {
        let Some((first, (last, before))) = events.first().zip(self.last) else { return };
        if first.revision == last.revision && !self.seen.contains_key(&(first.revision, first.key.as_str())) {
            let what = format!("watch {} gave revision {} in two responses", self.watch, first.revision);
            verdict.add(Rule::Atomic, [before, line], what);
        }
    }

    fn check_filter(&self, line: usize, event: &Event, verdict: &mut Verdict) {
        let what = if !self.request.asks_for(event) {
            format!("{:?} of {}", event.change, event.key)
        } else if self.request.from.is_some_and(|from| event.revision < from) {
            format!("revision {}, which is before its start,", event.revision)
        } else if event.prev.is_some() && !self.request.prev_kv {
            format!("the pair before revision {}", event.revision)
        } else {
            return;
        };
        let what = format!("watch {} gave {what} unasked", self.watch);
        verdict.add(Rule::Filter, [self.requested, line], what);
    }

    fn check_order(&self, line: usize, event: &Event, verdict: &mut Verdict) {
        let Some((last, before)) = self.last.filter(|(last, _)| event.revision < last.revision) else {
            return;
        };
        let what = format!("watch {} gave revision {} after {}", self.watch, event.revision, last.revision);
        verdict.add(Rule::Ordered, [before, line], what);
    }

    fn check_unique(&mut self, line: usize, event: &'h Event, verdict: &mut Verdict) {
        if let Some(before) = self.seen.insert((event.revision, &event.key), line) {
            let what =
                format!("watch {} gave {} of revision {} twice", self.watch, event.key, event.revision);
            verdict.add(Rule::Unique, [before, line], what);
        }
    }

    fn check_bookmark(&self, line: usize, event: &Event, verdict: &mut Verdict) {
        let Some(bookmark) = self.bookmark.filter(|bookmark| event.revision <= bookmark.revision) else {
            return;
        };
        let what = format!(
            "watch {} gave revision {} though everything up to {} was given",
            self.watch, event.revision, bookmark.revision
        );
        verdict.add(Rule::Bookmarkable, [bookmark.line, line], what);
    }

    fn check_create(&self, line: usize, event: &Event, verdict: &mut Verdict) {
        let before = self.log.before(&event.key, event.revision);
        let creates = event.change == Change::Put && before.is_none();
        if creates != event.is_create {
            let said = if event.is_create { "a creation" } else { "no creation" };
            let what =
                format!("watch {} calls {} of revision {} {said}", self.watch, event.key, event.revision);
            let witness = before.and_then(|state| self.log.revision(state.revision)).map(|seen| seen.line);
            verdict.add(Rule::IsCreate, [vec![line], witness.into_iter().collect()].concat(), what);
        }
    }

    /// It may be missing only where history may be compacted.
    fn check_previous(&self, line: usize, event: &Event, verdict: &mut Verdict) {
        let before = self.log.before(&event.key, event.revision);
        let right = match (&event.prev, before) {
            (Some(prev), Some(state)) => {
                prev.revision == state.revision && state.value.as_ref() == Some(&prev.value)
            }
            (Some(_), None) => false,
            (None, Some(_)) => !self.request.prev_kv || self.facts.may_be_compacted(event.revision, line),
            (None, None) => true,
        };
        if !right {
            let there = before
                .map_or_else(|| "none".to_owned(), |state| format!("that of revision {}", state.revision));
            let what = format!(
                "watch {} gave another pair before {} of revision {} than there was, which is {there}",
                self.watch, event.key, event.revision
            );
            let witness = before.and_then(|state| self.log.revision(state.revision)).map(|seen| seen.line);
            verdict.add(Rule::PrevKv, [vec![line], witness.into_iter().collect()].concat(), what);
        }
    }

    fn progress(&mut self, line: usize, revision: Rev, verdict: &mut Verdict) {
        verdict.figures.progress += 1;
        let bookmark = self.bookmark.map(|bookmark| (bookmark.revision, bookmark.line));
        let last = self.last.map(|(event, line)| (event.revision, line));
        if let Some((later, before)) = bookmark.max(last).filter(|(later, _)| revision < *later) {
            let what = format!("watch {} says it is at {revision}, but was at {later}", self.watch);
            verdict.add(Rule::Bookmarkable, [before, line], what);
        }
        if self.bookmark.is_none_or(|bookmark| bookmark.revision <= revision) {
            self.bookmark = Some(Bookmark { revision, line });
        }
        self.given.reaches(revision, line);
    }
}
