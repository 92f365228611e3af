//! Watches: what a member owes to each stream of watches, without any I/O.
//!
//! A watch that keeps up is *synced* and gets every commit at once. A watch of the past, or one whose stream is read too
//! slowly, is *behind* and reads the log of the store when its stream has room. The rules are those of etcd's
//! `server/storage/mvcc/watchable_store.go` and `server/etcdserver/api/v3rpc/watch.go`.

mod fragments;
mod stream;
mod watcher;

use std::collections::{BTreeMap, BTreeSet};

use etcd_proto::etcdserverpb::{ResponseHeader, WatchCreateRequest, WatchResponse};

use self::stream::WatchStream;
pub(crate) use self::watcher::Watcher;
use crate::store::{Change, Store};

/// The identifier of a stream of watches within a member.
pub(crate) type StreamId = u64;

/// The watch identifier of responses about no watch, or about all of a stream.
pub(crate) const NO_WATCH: i64 = -1;

/// All streams of watches of a member.
#[derive(Debug)]
pub(crate) struct Watches {
    /// The identity of the member, for headers.
    header: ResponseHeader,
    streams: BTreeMap<StreamId, WatchStream>,
    next_stream: StreamId,
    /// Streams that may have responses since they were last taken.
    touched: BTreeSet<StreamId>,
}

impl Watches {
    /// Creates a set without streams. Responses have the identity of `header`.
    pub(crate) const fn new(header: ResponseHeader) -> Self {
        Self { header, streams: BTreeMap::new(), next_stream: 0, touched: BTreeSet::new() }
    }

    pub(crate) fn open(&mut self) -> StreamId {
        let id = self.next_stream;
        self.next_stream += 1;
        self.streams.insert(id, WatchStream::new(self.header));
        id
    }

    /// Closes all streams. Those that are opened from now on have the identity of `header`.
    pub(crate) fn restart(&mut self, header: ResponseHeader) {
        self.streams.clear();
        self.touched.clear();
        self.header = header;
    }

    pub(crate) fn close(&mut self, id: StreamId) {
        self.streams.remove(&id);
        self.touched.remove(&id);
    }

    /// Returns the streams that may have responses, once.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<StreamId> {
        std::mem::take(&mut self.touched)
    }

    pub(crate) fn create(&mut self, id: StreamId, request: &WatchCreateRequest, store: &Store) {
        self.update(id, |stream| stream.create(request, store));
    }

    /// Rejects a watch with `reason`.
    pub(crate) fn reject(&mut self, id: StreamId, reason: &str, store: &Store) {
        self.update(id, |stream| stream.reject(reason, store));
    }

    pub(crate) fn cancel(&mut self, id: StreamId, watch_id: i64, store: &Store) {
        self.update(id, |stream| stream.cancel(watch_id, store));
    }

    /// Reports the progress of all watches of a stream, if all are synced.
    pub(crate) fn request_progress(&mut self, id: StreamId, store: &Store) {
        self.update(id, |stream| stream.request_progress(store));
    }

    /// Reports the progress of the watches of a stream that want periodic reports and had no event since the last one.
    pub(crate) fn tick(&mut self, id: StreamId, store: &Store) {
        self.update(id, |stream| stream.tick(store));
    }

    /// Delivers a commit to the watches that are synced.
    pub(crate) fn notify(&mut self, changes: &[Change], store: &Store) {
        for (id, stream) in &mut self.streams {
            if stream.notify(changes, store) {
                self.touched.insert(*id);
            }
        }
    }

    /// Returns the next response of a stream.
    pub(crate) fn next(&mut self, id: StreamId, store: &Store) -> Option<WatchResponse> {
        self.streams.get_mut(&id)?.next(store)
    }

    /// Returns all watches, with the identifiers of their streams.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (StreamId, i64, &Watcher)> {
        self.streams
            .iter()
            .flat_map(|(stream, watches)| watches.iter().map(|(id, watcher)| (*stream, id, watcher)))
    }

    fn update(&mut self, id: StreamId, change: impl FnOnce(&mut WatchStream)) {
        if let Some(stream) = self.streams.get_mut(&id) {
            change(stream);
            self.touched.insert(id);
        }
    }
}

#[cfg(test)]
mod tests;
