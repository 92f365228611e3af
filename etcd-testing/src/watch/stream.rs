//! One stream of watches: its watches, and the responses that its client has not read.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use etcd_proto::etcdserverpb::{ResponseHeader, WatchCreateRequest, WatchResponse};

use super::watcher::{Standing, Watcher};
use super::{NO_WATCH, fragments};
use crate::store::{Change, Span, Store};

/// The number of responses that a stream buffers before its watches fall behind: `chanBufLen` of
/// `server/storage/mvcc/watchable_store.go`.
const MAX_BUFFERED: usize = 128;

/// etcd's reason for a watch from a negative revision.
const COMPACTED: &str = "etcdserver: mvcc: required revision has been compacted";
const EMPTY_RANGE: &str = "mvcc: watcher range is empty";
const DUPLICATE_ID: &str = "mvcc: duplicate watch ID provided on the WatchStream";

/// One stream of watches.
#[derive(Debug)]
pub(super) struct WatchStream {
    header: ResponseHeader,
    watchers: BTreeMap<i64, Watcher>,
    next_id: i64,
    responses: VecDeque<WatchResponse>,
}

impl WatchStream {
    pub(super) const fn new(header: ResponseHeader) -> Self {
        Self { header, watchers: BTreeMap::new(), next_id: 0, responses: VecDeque::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, &Watcher)> {
        self.watchers.iter().map(|(id, watcher)| (*id, watcher))
    }

    pub(super) fn create(&mut self, request: &WatchCreateRequest, store: &Store) {
        if request.start_revision < 0 {
            return self.reject(COMPACTED, store);
        }
        let key = if request.key.is_empty() { Bytes::from_static(&[0]) } else { request.key.clone() };
        let span = Span::of(&key, &request.range_end);
        if let Span::Between(first, end) = &span
            && first >= end
        {
            return self.reject(EMPTY_RANGE, store);
        }
        let Some(id) = self.choose_id(request.watch_id) else { return self.reject(DUPLICATE_ID, store) };
        self.watchers.insert(id, Watcher::new(request, span, store));
        self.respond(WatchResponse { created: true, ..self.response(id, store.revision()) });
    }

    /// Returns the identifier of a new watch, or nothing if the requested one is taken. Zero chooses one.
    fn choose_id(&mut self, requested: i64) -> Option<i64> {
        if requested != 0 {
            return (!self.watchers.contains_key(&requested)).then_some(requested);
        }
        while self.watchers.contains_key(&self.next_id) {
            self.next_id += 1;
        }
        self.next_id += 1;
        Some(self.next_id - 1)
    }

    pub(super) fn reject(&mut self, reason: &str, store: &Store) {
        let response = self.response(NO_WATCH, store.revision());
        self.respond(WatchResponse {
            created: true,
            canceled: true,
            cancel_reason: reason.to_owned(),
            ..response
        });
    }

    pub(super) fn cancel(&mut self, id: i64, store: &Store) {
        if self.watchers.remove(&id).is_some() {
            self.respond(WatchResponse { canceled: true, ..self.response(id, store.revision()) });
        }
    }

    /// Reports the progress of all watches. There is no response unless all can report, and none without watches.
    pub(super) fn request_progress(&mut self, store: &Store) {
        let revision = store.revision();
        let all_can = self.watchers.values().all(|watcher| watcher.can_report(revision));
        if !self.watchers.is_empty() && all_can && self.has_room() {
            self.respond(self.response(NO_WATCH, revision));
        }
    }

    pub(super) fn tick(&mut self, store: &Store) {
        let revision = store.revision();
        let mut due = Vec::new();
        for (id, watcher) in self.watchers.iter_mut().filter(|(_, watcher)| watcher.request.progress_notify) {
            let report = std::mem::replace(&mut watcher.report_due, true);
            if report && watcher.can_report(revision) {
                due.push(*id);
            }
        }
        for id in due {
            self.respond(self.response(id, revision));
        }
    }

    /// Delivers a commit. Returns whether there is something to read.
    pub(super) fn notify(&mut self, changes: &[Change], store: &Store) -> bool {
        let revision = store.revision();
        let mut ready = Vec::new();
        let mut room = MAX_BUFFERED.saturating_sub(self.responses.len());
        for (id, watcher) in &mut self.watchers {
            if watcher.standing != Standing::Synced {
                continue;
            }
            let events = watcher.events(changes, store);
            if events.is_empty() {
                continue;
            }
            if room == 0 {
                watcher.standing = Standing::Behind;
                continue;
            }
            room -= 1;
            watcher.next_revision = revision + 1;
            ready.push((*id, events));
        }
        let any = !ready.is_empty();
        for (id, events) in ready {
            self.respond(WatchResponse { events, ..self.response(id, revision) });
        }
        any
    }

    /// Returns the next response. Watches that are behind continue once everything else is read.
    pub(super) fn next(&mut self, store: &Store) -> Option<WatchResponse> {
        if self.responses.is_empty() {
            self.catch_up(store);
        }
        self.responses.pop_front()
    }

    /// Reads the log for each watch that is behind, until one has a response.
    fn catch_up(&mut self, store: &Store) {
        let behind = self.watchers.iter().filter(|(_, watcher)| watcher.standing == Standing::Behind);
        let ids: Vec<_> = behind.map(|(id, _)| *id).collect();
        for id in ids {
            while self.responses.is_empty() && self.advance(id, store) {}
        }
    }

    /// Reads one batch for a watch. Returns whether the watch is still behind.
    fn advance(&mut self, id: i64, store: &Store) -> bool {
        let Some(watcher) = self.watchers.get_mut(&id) else { return false };
        if watcher.next_revision < store.compacted() {
            watcher.standing = Standing::Compacted;
            // etcd sends no revision and no reason with this cancellation.
            let response = self.response(id, 0);
            self.respond(WatchResponse { canceled: true, compact_revision: store.compacted(), ..response });
            return false;
        }
        let batch = watcher.batch(store);
        watcher.next_revision = batch.more.unwrap_or_else(|| store.revision() + 1);
        if batch.more.is_none() {
            watcher.standing = Standing::Synced;
        }
        if !batch.events.is_empty() {
            self.respond(WatchResponse { events: batch.events, ..self.response(id, store.revision()) });
        }
        batch.more.is_some()
    }

    fn has_room(&self) -> bool {
        self.responses.len() < MAX_BUFFERED
    }

    fn response(&self, watch_id: i64, revision: i64) -> WatchResponse {
        WatchResponse {
            header: Some(ResponseHeader { revision, ..self.header }),
            watch_id,
            ..Default::default()
        }
    }

    fn respond(&mut self, response: WatchResponse) {
        let watcher = self.watchers.get_mut(&response.watch_id);
        let mut fragmented = false;
        if let Some(watcher) = watcher {
            fragmented = watcher.request.fragment;
            watcher.report_due &= response.events.is_empty();
        }
        if fragmented {
            self.responses.extend(fragments::split(response));
        } else {
            self.responses.push_back(response);
        }
    }
}
