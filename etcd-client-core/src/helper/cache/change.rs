//! What a cache tells those who follow it.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use etcd_errors::Error;
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::unfold;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};

use super::{snapshot::CacheSnapshot, status::Standing};
use crate::{
    mechanism::replica::difference,
    model::{Event, Revision},
};

/// One revision's change of what a cache holds, or the sum of several.
#[derive(Clone)]
pub struct CacheChange {
    resynced: bool,
    events: Arc<[Event]>,
    snapshot: CacheSnapshot,
}

impl fmt::Debug for CacheChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheChange")
            .field("resynced", &self.resynced)
            .field("events", &self.events.len())
            .field("snapshot", &self.snapshot)
            .finish()
    }
}

impl CacheChange {
    pub(super) fn new(resynced: bool, events: Vec<Event>, snapshot: CacheSnapshot) -> Self {
        Self { resynced, events: events.into(), snapshot }
    }

    /// Whether the events are what remains of several revisions, in the order of keys: what was undone meanwhile is not among them,
    /// and a deletion may have been earlier than its event says. That is so when the subscriber was too far behind, or history was
    /// compacted before the cache had seen it.
    pub fn is_resynced(&self) -> bool {
        self.resynced
    }

    /// What was changed, each event with the pair before it. May be empty after a resynchronisation.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The revision after the change.
    pub fn revision(&self) -> Revision {
        self.snapshot.revision()
    }

    /// What the cache held after the change.
    pub fn snapshot(&self) -> &CacheSnapshot {
        &self.snapshot
    }
}

/// The changes of a cache after a first state: a stream, or a loop over [`next`](Self::next).
///
/// Each subscriber has the changes to itself. One that is too far behind misses none: it is given their sum, marked as
/// [resynchronised](CacheChange::is_resynced), which takes a pass over all pairs. It ends when the cache is dropped, and with an error
/// when the cache ends by itself.
#[must_use = "changes are read with `next` or as a stream"]
pub struct CacheChanges {
    seen: CacheSnapshot,
    changes: BoxStream<'static, Result<CacheChange, Error>>,
}

impl CacheChanges {
    pub(super) fn new(
        base: CacheSnapshot,
        received: broadcast::Receiver<CacheChange>,
        standing: watch::Receiver<Standing>,
    ) -> Self {
        let reader = Reader { received, standing, seen: base.clone() };
        Self { seen: base, changes: Box::pin(unfold(Some(reader), |reader| async { reader?.step().await })) }
    }

    /// What the cache held after the change that was given last; at first, what the changes lead on from.
    pub fn snapshot(&self) -> &CacheSnapshot {
        &self.seen
    }

    /// The next change; an error at most once, as the last.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Result<CacheChange, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for CacheChanges {
    type Item = Result<CacheChange, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let change = ready!(self.changes.as_mut().poll_next(cx));
        if let Some(Ok(change)) = &change {
            self.seen = change.snapshot.clone();
        }
        Poll::Ready(change)
    }
}

impl fmt::Debug for CacheChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheChanges").field("seen", &self.seen).finish_non_exhaustive()
    }
}

struct Reader {
    received: broadcast::Receiver<CacheChange>,
    standing: watch::Receiver<Standing>,
    /// The state after what was delivered.
    seen: CacheSnapshot,
}

type Step = Option<(Result<CacheChange, Error>, Option<Reader>)>;

impl Reader {
    async fn step(mut self) -> Step {
        let mut lagged = false;
        loop {
            match self.received.recv().await {
                Ok(change) => {
                    let change = if lagged { self.sum(change) } else { change };
                    self.seen = change.snapshot.clone();
                    return Some((Ok(change), Some(self)));
                }
                Err(RecvError::Lagged(_)) => lagged = true,
                Err(RecvError::Closed) => {
                    let error = self.standing.borrow().end().cloned();
                    return error.map(|error| (Err(error), None));
                }
            }
        }
    }

    /// All that happened since what was delivered, up to and with this change.
    fn sum(&self, change: CacheChange) -> CacheChange {
        let events = difference(&self.seen.pairs, &change.snapshot.pairs, change.revision());
        CacheChange::new(true, events, change.snapshot)
    }
}
