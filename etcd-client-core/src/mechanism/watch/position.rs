//! How far a watch is: the first revision that it has not delivered.

use super::rules::{Rule, Rules};
use crate::model::Event;

/// How far a watch is. It only ever grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The first revision that was not delivered; zero for a watch from now on that was not created yet.
    next: i64,
    /// The highest revision that is known to exist: history that ends before it was lost.
    seen: i64,
    /// What is older than a watch from now on, whatever its member says: that may lag behind.
    past: i64,
}

impl Position {
    /// Before the creation; `start` is zero for a watch of what happens from now on.
    pub(crate) fn new(start: i64) -> Self {
        Self { next: start, seen: 0, past: 0 }
    }

    /// Before the creation of a watch from now on, when revisions up to `past` were seen.
    pub(crate) fn now_after(past: i64) -> Self {
        Self { next: 0, seen: 0, past }
    }

    /// Everything up to `revision` was delivered, as a listing.
    pub(crate) fn after(revision: i64) -> Self {
        Self { next: revision.saturating_add(1), seen: revision, past: 0 }
    }

    /// Where to create the watch, as a request has it.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// Whether the watch begins with its creation, which has not been read yet.
    pub(crate) fn is_now(&self) -> bool {
        self.next == 0
    }

    /// The highest revision that is known to exist.
    pub(crate) fn seen(&self) -> i64 {
        self.seen
    }

    /// Whether a member whose store is at `revision` has less than this watch has seen: it lags behind, or history was lost.
    pub(crate) fn is_beyond(&self, revision: i64) -> bool {
        revision < self.seen
    }

    /// Whether a member whose store is at `revision` has nothing for this watch yet, since that begins later.
    pub(crate) fn is_future(&self, revision: i64) -> bool {
        self.next > self.seen.max(revision).saturating_add(1)
    }

    /// A watch from now on was created at `revision`: what happened up to it is older than the watch. Newer servers register the
    /// watch before they read this revision, and send what came between (`watchServer.recvLoop` in etcd's
    /// `server/etcdserver/api/v3rpc/watch.go`).
    pub(crate) fn pin(&mut self, revision: i64) {
        if self.is_now() {
            let past = revision.max(self.past);
            self.next = past.saturating_add(1);
            self.saw(past);
        }
        self.saw(revision);
    }

    /// Leaves out what was delivered or is older than the watch, and returns how many that were.
    pub(crate) fn admit(&self, events: &mut Vec<Event>) -> u64 {
        let before = events.len();
        events.retain(|event| event.revision() >= self.next);
        (before - events.len()) as u64
    }

    /// Whole revisions up to `last` were delivered, out of a response with this header.
    pub(crate) fn delivered(&mut self, last: i64, header: i64, rules: Rules) {
        let last = if rules.hold(Rule::BookmarkIsNoHeader) { last } else { last.max(header) };
        self.next = self.next.max(last.saturating_add(1));
        self.saw(last);
    }

    /// A server says that everything up to `revision` was sent; `false` where more than that was delivered before.
    pub(crate) fn progressed(&mut self, revision: i64) -> bool {
        let after = revision.saturating_add(1);
        let believed = after >= self.next;
        self.next = self.next.max(after);
        self.saw(revision);
        believed
    }

    fn saw(&mut self, revision: i64) {
        self.seen = self.seen.max(revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeyValue;

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
        // A watch that begins in the future keeps its start.
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
    fn a_watch_from_now_on_leaves_out_what_was_seen_before_whatever_its_member_says() {
        // (seen before, the member's revision, the first revision that is delivered)
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
