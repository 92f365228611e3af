//! The responses of a watch.

use crate::types::{Event, ResponseHeader, Revision};

/// A response of a watch: the events of one or more whole revisions in order, or a notification without events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchResponse {
    /// The header. Its revision may be later than the events of the response.
    pub header: ResponseHeader,
    /// The kind of the response.
    pub kind: WatchResponseKind,
    /// The events, in the order of their revisions. The events of one revision are never split over several
    /// responses.
    pub events: Vec<Event>,
}

/// The kind of a [`WatchResponse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WatchResponseKind {
    /// The watch was created; see [`created_notify`](crate::watch::Watch::created_notify). Delivered once, as the
    /// first response.
    Created,
    /// Keys have changed.
    Events,
    /// Everything up to the header's revision was delivered; see
    /// [`progress_notify`](crate::watch::Watch::progress_notify).
    Progress,
    /// A compaction removed events that the watch had not delivered. The events of this response are the difference
    /// between the state after the last delivered event and the state at this revision; see
    /// [`resync`](crate::watch::Watch::resync). Changes that were undone in between are not included.
    Resynced(Revision),
}

impl WatchResponse {
    /// Creates a response with events.
    pub fn events(header: ResponseHeader, events: Vec<Event>) -> Self {
        Self { header, kind: WatchResponseKind::Events, events }
    }

    /// Creates a notification that the watch was created.
    pub fn created(header: ResponseHeader) -> Self {
        Self { header, kind: WatchResponseKind::Created, events: Vec::new() }
    }

    /// Creates a notification of progress up to the header's revision.
    pub fn progress(header: ResponseHeader) -> Self {
        Self { header, kind: WatchResponseKind::Progress, events: Vec::new() }
    }

    /// Creates a response with the events that lead to the state at `revision`.
    pub fn resynced(header: ResponseHeader, revision: Revision, events: Vec<Event>) -> Self {
        Self { header, kind: WatchResponseKind::Resynced(revision), events }
    }

    /// Returns whether this is a progress notification.
    #[doc(alias = "IsProgressNotify")]
    pub fn is_progress(&self) -> bool {
        self.kind == WatchResponseKind::Progress
    }
}
