//! The position of a watch: the first revision that it has not delivered.

use crate::{
    types::Event,
    watch::state::rules::{Rule, Rules},
};

/// The position of a watch. It never moves back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The first revision that was not delivered. Zero before the creation of a watch from now on.
    next: i64,
    /// The highest revision that is known to exist. A history that ends before it has lost data.
    seen: i64,
    /// Events up to this revision are older than a watch from now on, even if its member lags behind and sends them.
    past: i64,
}

impl Position {
    /// Creates the position before the creation. `start` is zero for a watch from now on.
    pub(crate) fn new(start: i64) -> Self {
        Self { next: start, seen: 0, past: 0 }
    }

    /// Creates the position of a watch from now on, when revisions up to `past` have been seen.
    pub(crate) fn now_after(past: i64) -> Self {
        Self { next: 0, seen: 0, past }
    }

    /// Creates the position after a listing at `revision`.
    pub(crate) fn after(revision: i64) -> Self {
        Self { next: revision.saturating_add(1), seen: revision, past: 0 }
    }

    /// Returns the start revision for a create request.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// Returns true if the watch starts at its creation, whose response was not read yet.
    pub(crate) fn is_now(&self) -> bool {
        self.next == 0
    }

    /// Returns the highest revision that is known to exist.
    pub(crate) fn seen(&self) -> i64 {
        self.seen
    }

    /// Returns true if a store at `revision` is behind what this watch has seen: the member lags, or history was
    /// lost.
    pub(crate) fn is_beyond(&self, revision: i64) -> bool {
        revision < self.seen
    }

    /// Returns true if the watch starts after the end of a store at `revision`.
    pub(crate) fn is_future(&self, revision: i64) -> bool {
        // `seen` matters on a member that lags: a resumed watch is ahead of its store, but not in the future.
        self.next > self.seen.max(revision).saturating_add(1)
    }

    /// Records the creation of a watch from now on at `revision`. Events up to it are older than the watch. Newer
    /// servers register the watch before they read this revision, and send the events in between
    /// (`watchServer.recvLoop` in etcd's `server/etcdserver/api/v3rpc/watch.go`).
    pub(crate) fn pin(&mut self, revision: i64) {
        if self.is_now() {
            // A lagging member may report a revision below what the client has already seen.
            let past = revision.max(self.past);
            self.next = past.saturating_add(1);
            self.saw(past);
        }
        self.saw(revision);
    }

    /// Removes events that were delivered before or are older than the watch. Returns their number.
    pub(crate) fn admit(&self, events: &mut Vec<Event>) -> u64 {
        let before = events.len();
        events.retain(|event| event.revision() >= self.next);
        (before - events.len()) as u64
    }

    /// Records the delivery of whole revisions up to `last`, from a response with the header revision `header`.
    pub(crate) fn delivered(&mut self, last: i64, header: i64, rules: Rules) {
        // The header has the revision of the store when the response was sent, which may be ahead of the events
        // sent so far. Resuming after it would skip them.
        let last = if rules.hold(Rule::BookmarkIsNoHeader) { last } else { last.max(header) };
        self.next = self.next.max(last.saturating_add(1));
        self.saw(last);
    }

    /// Records that the server has sent everything up to `revision`. Returns false if more than that was delivered
    /// before.
    pub(crate) fn progressed(&mut self, revision: i64) -> bool {
        let after = revision.saturating_add(1);
        // After a resume on a member that lags, the reported revision may be one that was delivered before.
        let in_order = after >= self.next;
        self.next = self.next.max(after);
        self.saw(revision);
        in_order
    }

    fn saw(&mut self, revision: i64) {
        self.seen = self.seen.max(revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::KeyValue;

    #[test]
    fn progress_never_moves_a_position_back() {
        let mut position = Position::after(10);
        assert!(position.progressed(20));
        for late in [0, 10, 19] {
            assert!(!position.progressed(late), "more than {late} was delivered");
            assert_eq!((position.next(), position.is_beyond(19)), (21, true), "after {late}");
        }
        assert!(position.progressed(20), "the same again says nothing new");
        assert_eq!(position.next(), 21);
        // A watch that starts in the future keeps its start.
        let mut future = Position::new(100);
        assert!(!future.progressed(50));
        assert_eq!((future.next(), future.is_beyond(49), future.is_beyond(50)), (100, true, false));
    }

    #[test]
    fn late_delivery_moves_nothing_back() {
        let mut position = Position::after(10);
        position.delivered(20, 20, Rules::default());
        position.delivered(15, 15, Rules::default());
        position.pin(5);
        assert_eq!((position.next(), position.is_beyond(19)), (21, true));
    }

    #[test]
    fn watch_from_now_skips_events_seen_before() {
        // (revision seen before, revision of the member, first delivered revision)
        for (past, revision, first) in [(0, 10, 11), (10, 10, 11), (12, 10, 13), (8, 10, 11)] {
            let mut position = Position::now_after(past);
            assert!(position.is_now());
            position.pin(revision);
            assert_eq!(position.next(), first, "{past}, {revision}");
            assert_eq!(position.is_beyond(revision), past > revision, "a member that lags is asked about");
            assert!(!position.is_future(revision));
            let put = |at| Event::put(KeyValue::new("k", "v").with_revisions(1, at));
            let mut events: Vec<Event> = (9..15).map(put).collect();
            position.admit(&mut events);
            assert_eq!(events[0].revision(), first);
        }
    }
}
