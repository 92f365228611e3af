//! A watch that skipped history: its events must lead from the last delivered state to the store at that time.

use std::collections::HashMap;

use super::{
    following::{Bookmark, Following},
    given::{Begin, Given},
};
use crate::{
    check::{Rule, Verdict, log::State},
    history::{Change, Event, Rev},
};

impl<'h> Following<'h, '_> {
    pub(super) fn resynced(
        &mut self,
        line: usize,
        revision: Rev,
        events: &'h [Event],
        verdict: &mut Verdict,
    ) {
        if !self.request.resync {
            verdict.add(Rule::Resynced, [line], format!("watch {} skipped history unasked", self.watch));
        }
        let upto = self.given.upto().max(self.bookmark.map(|bookmark| bookmark.revision));
        if let Some(upto) = upto {
            self.check_difference(line, upto, revision, events, verdict);
        }
        let next = Given::new(line, Begin::From(revision.next()));
        std::mem::replace(&mut self.given, next).judge(self.watch, self.request, self.log, verdict);
        self.bookmark = Some(Bookmark { revision, line });
        self.last = None;
    }

    /// Checks that exactly the differences between the revisions are delivered.
    fn check_difference(&self, line: usize, upto: Rev, at: Rev, events: &[Event], verdict: &mut Verdict) {
        let mut given: HashMap<&str, &Event> =
            events.iter().map(|event| (event.key.as_str(), event)).collect();
        for key in self.log.keys(&self.request.keys) {
            let (before, after) = (self.log.before(key, upto.next()), self.log.before(key, at.next()));
            let right = match (after, given.remove(key)) {
                (Some(state), Some(event)) => event.change == Change::Put && is(event, state),
                (None, Some(event)) => event.change == Change::Delete && before.is_some(),
                (after, None) => {
                    let revision = |state: Option<&State>| state.map(|state| state.revision);
                    let left_out = after.map_or(self.request.no_delete, |_| self.request.no_put);
                    left_out || revision(before) == revision(after)
                }
            };
            if !right {
                let what =
                    format!("watch {} went from revision {upto} to {at} without the right {key}", self.watch);
                verdict.add(Rule::Resynced, [line], what);
            }
        }
        for key in given.into_keys() {
            let what = format!("watch {} gave {key}, which never was", self.watch);
            verdict.add(Rule::Resynced, [line], what);
        }
    }
}

fn is(event: &Event, state: &State) -> bool {
    event.revision == state.revision && state.value.as_ref() == Some(&event.value)
}
