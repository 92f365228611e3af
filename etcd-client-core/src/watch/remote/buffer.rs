//! The bounded buffer of unread responses of one watch.

use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use etcd_errors::Error;

use crate::{
    types::{Event, KeyValue},
    watch::{WatchResponse, WatchResponseKind},
};

/// The assumed size of an event in addition to its keys and values.
const EVENT_BYTES: usize = 256;

/// Events below this size are copied when they are buffered. A slice would pin the whole message that it shares with
/// other events.
const COPIED_BELOW: usize = 16 << 10;

/// The unread responses, and the end of the watch.
#[derive(Debug)]
pub(crate) struct Buffer {
    waiting: VecDeque<(WatchResponse, usize)>,
    bytes: usize,
    limit: usize,
    /// True while the watch is cancelled on the server because the reader is behind.
    paused: bool,
    end: Option<Option<Error>>,
    reader: Option<Waker>,
}

/// An item for the reader.
#[derive(Debug)]
pub(crate) enum Taken {
    Response(WatchResponse),
    /// The watch has ended. The error is returned at most once.
    End(Option<Error>),
}

impl Buffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, limit, paused: false, end: None, reader: None }
    }

    /// Appends a response and wakes the reader. Returns true if the buffer is now over its limit.
    pub(crate) fn push(&mut self, mut response: WatchResponse) -> bool {
        if self.end.is_some() {
            return false;
        }
        // A progress notification replaces an unread one.
        if response.is_progress()
            && self.waiting.back().is_some_and(|(last, _)| last.is_progress())
            && let Some((_, size)) = self.waiting.pop_back()
        {
            self.bytes -= size;
        }
        // A reader that keeps up takes each response before the next one arrives, so only a backlog is copied.
        if !self.waiting.is_empty() {
            response.events.iter_mut().for_each(own);
        }
        let size = size(&response);
        self.bytes += size;
        self.waiting.push_back((response, size));
        self.wake();
        // The response is kept even if it exceeds the limit: the position of the watch already includes it.
        self.bytes > self.limit
    }

    /// Keeps only the latest event of each key. Returns the number of dropped events, and whether the buffer has room
    /// again. A quarter must be free, so that this does not run for every response.
    pub(crate) fn coalesce(&mut self) -> (u64, bool) {
        let mut latest: HashMap<Bytes, (usize, usize)> = HashMap::new();
        for (at, (response, _)) in self.waiting.iter().enumerate() {
            for (n, event) in response.events.iter().enumerate() {
                latest.insert(event.kv.key.clone(), (at, n));
            }
        }
        let mut before: HashMap<Bytes, Option<KeyValue>> = HashMap::new();
        let mut dropped = 0;
        for (at, (response, bytes)) in self.waiting.iter_mut().enumerate() {
            let events = std::mem::take(&mut response.events);
            for (n, mut event) in events.into_iter().enumerate() {
                if latest.get(&event.kv.key) == Some(&(at, n)) {
                    // From the reader's view, the previous value is the one before the first dropped event.
                    if let Some(prev_kv) = before.remove(&event.kv.key) {
                        event.prev_kv = prev_kv;
                    }
                    response.events.push(event);
                } else {
                    dropped += 1;
                    before.entry(event.kv.key).or_insert(event.prev_kv);
                }
            }
            *bytes = size(response);
        }
        let empty = |response: &WatchResponse| {
            response.kind == WatchResponseKind::Events && response.events.is_empty()
        };
        self.waiting.retain(|(response, _)| !empty(response));
        self.bytes = self.waiting.iter().map(|(_, size)| size).sum();
        (dropped, self.bytes <= self.limit / 4 * 3)
    }

    pub(crate) fn park(&mut self) {
        self.paused = true;
    }

    /// Ends the watch after the buffered responses. Returns false if it has already ended.
    pub(crate) fn end(&mut self, error: Option<Error>) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some(error);
        self.wake();
        true
    }

    pub(crate) fn ended(&self) -> Option<&Option<Error>> {
        self.end.as_ref()
    }

    /// Returns the next response. The flag is set once when a paused watch may resume, which is when three quarters
    /// of the buffer are free.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(Taken, bool)> {
        let Some((response, size)) = self.waiting.pop_front() else {
            if let Some(end) = &mut self.end {
                return Poll::Ready((Taken::End(end.take()), false));
            }
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        self.bytes -= size;
        let go_on = self.paused && self.bytes <= self.limit / 4;
        if go_on {
            self.paused = false;
        }
        Poll::Ready((Taken::Response(response), go_on))
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn size(response: &WatchResponse) -> usize {
    let pair = |kv: &KeyValue| kv.key.len() + kv.value.len();
    let event = |event: &Event| EVENT_BYTES + pair(&event.kv) + event.prev_kv.as_ref().map_or(0, pair);
    EVENT_BYTES + response.events.iter().map(event).sum::<usize>()
}

fn own(event: &mut Event) {
    let copied = |kv: &mut KeyValue| {
        if kv.key.len() + kv.value.len() < COPIED_BELOW {
            *kv = std::mem::take(kv).into_owned();
        }
    };
    copied(&mut event.kv);
    event.prev_kv.iter_mut().for_each(copied);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ResponseHeader, Revision};

    fn response(events: &[(&'static str, i64)]) -> WatchResponse {
        let event = |(key, revision): &(&'static str, i64)| {
            let kv = KeyValue::new(*key, "value").with_revisions(1, *revision);
            let before = KeyValue::new(*key, "before").with_revisions(1, *revision - 1);
            Event::put(kv).with_prev_kv(before)
        };
        WatchResponse::events(ResponseHeader::default(), events.iter().map(event).collect())
    }

    fn drain(buffer: &mut Buffer) -> (Vec<Vec<(String, i64)>>, usize) {
        let (mut all, mut signals) = (Vec::new(), 0);
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready((Taken::Response(response), go_on)) = buffer.poll(&mut cx) {
            signals += usize::from(go_on);
            let shown =
                |event: &Event| (event.kv.key_str().expect("text").to_owned(), event.revision().get());
            all.push(response.events.iter().map(shown).collect());
        }
        (all, signals)
    }

    #[test]
    fn push_over_the_limit_is_reported_and_kept() {
        let mut buffer = Buffer::new(1000);
        assert!(!buffer.push(response(&[("a", 1)])));
        assert!(buffer.push(response(&[("a", 2)])));
        buffer.park();
        assert_eq!(drain(&mut buffer), (vec![vec![("a".into(), 1)], vec![("a".into(), 2)]], 1));
        assert_eq!(buffer.bytes, 0);
    }

    #[test]
    fn coalescing_keeps_the_latest_event_and_the_previous_value() {
        let mut buffer = Buffer::new(1 << 20);
        buffer.push(response(&[("a", 1), ("b", 1)]));
        buffer.push(response(&[("a", 2)]));
        buffer.push(response(&[("a", 3), ("c", 3)]));
        assert_eq!(buffer.coalesce(), (2, true));
        let before = buffer.waiting[1].0.events[0].prev_kv.as_ref().map(|kv| kv.mod_revision.get());
        assert_eq!(before, Some(0));
        let expected = vec![vec![("b".into(), 1)], vec![("a".into(), 3), ("c".into(), 3)]];
        assert_eq!(drain(&mut buffer).0, expected);
        let mut full = Buffer::new(800);
        full.push(response(&[("a", 1), ("b", 1)]));
        assert_eq!(full.coalesce(), (0, false));
    }

    #[test]
    fn end_follows_buffered_responses_once() {
        let mut buffer = Buffer::new(1000);
        buffer.push(response(&[("a", 1)]));
        assert!(buffer.end(Some(Error::new(etcd_errors::ErrorKind::Closed, "over"))));
        assert!(!buffer.end(None));
        assert!(!buffer.push(response(&[("a", 2)])));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(buffer.poll(&mut cx), Poll::Ready((Taken::Response(_), false))));
        for expected in [true, false] {
            let Poll::Ready((Taken::End(end), _)) = buffer.poll(&mut cx) else { panic!("over") };
            assert_eq!(end.is_some(), expected);
        }
    }

    #[test]
    fn notices_of_progress_do_not_pile_up() {
        let mut buffer = Buffer::new(1000);
        for revision in 1..100 {
            let header = ResponseHeader { revision: Revision::new(revision), ..ResponseHeader::default() };
            assert!(!buffer.push(WatchResponse::progress(header)));
        }
        assert_eq!(buffer.waiting.len(), 1);
    }
}
