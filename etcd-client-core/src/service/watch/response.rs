//! What a watch gives.

use crate::model::{Event, ResponseHeader, Revision};

/// Some events of a watch, whole revisions in order, or a notice without events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchResponse {
    /// Who sent it. The revision of a response with events may be later than its events.
    pub header: ResponseHeader,
    /// What this response is.
    pub kind: WatchResponseKind,
    /// The events, in the order of their revisions; the events of one revision are never split over responses.
    pub events: Vec<Event>,
}

/// What a [`WatchResponse`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WatchResponseKind {
    /// The watch was created: [`created_notify`](crate::WatchCreate::created_notify). Comes once, first.
    Created,
    /// Something happened.
    Events,
    /// Everything up to the header's revision was delivered: [`progress_notify`](crate::WatchCreate::progress_notify).
    Progress,
    /// History that the watch had not seen is gone, and these events lead from what was delivered to the state at this revision:
    /// [`resync`](crate::WatchCreate::resync). Changes that were undone meanwhile are not among them.
    Resynced(Revision),
}

impl WatchResponse {
    /// A response with events.
    pub fn events(header: ResponseHeader, events: Vec<Event>) -> Self {
        Self { header, kind: WatchResponseKind::Events, events }
    }

    /// A notice that the watch was created.
    pub fn created(header: ResponseHeader) -> Self {
        Self { header, kind: WatchResponseKind::Created, events: Vec::new() }
    }

    /// A notice of progress up to the header's revision.
    pub fn progress(header: ResponseHeader) -> Self {
        Self { header, kind: WatchResponseKind::Progress, events: Vec::new() }
    }

    /// The events that lead to the state at `revision`.
    pub fn resynced(header: ResponseHeader, revision: Revision, events: Vec<Event>) -> Self {
        Self { header, kind: WatchResponseKind::Resynced(revision), events }
    }

    /// Whether this is a notice of progress.
    pub fn is_progress(&self) -> bool {
        self.kind == WatchResponseKind::Progress
    }
}
