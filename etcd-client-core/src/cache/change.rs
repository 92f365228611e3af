//! The changes that a cache delivers to its subscribers.

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

use crate::{
    cache::{CacheSnapshot, replica::difference, status::CacheState},
    types::{Event, Revision},
};

/// The change of a cache at one revision, or the sum of the changes of several revisions.
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
    pub(crate) fn new(resynced: bool, events: Vec<Event>, snapshot: CacheSnapshot) -> Self {
        Self { resynced, events: events.into(), snapshot }
    }

    /// Returns whether the events are the sum of several revisions, in key order.
    ///
    /// In a sum, changes that were undone in between are missing, and a key may have been deleted earlier than its event states. The cache
    /// delivers a sum if the subscriber lagged too far behind, or if it had to re-list the range, as after a compaction.
    pub fn is_resynced(&self) -> bool {
        self.resynced
    }

    /// Returns the events of the change, each with the previous pair. May be empty after a re-list.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns the revision after the change.
    pub fn revision(&self) -> Revision {
        self.snapshot.revision()
    }

    /// Returns the pairs of the cache after the change.
    pub fn snapshot(&self) -> &CacheSnapshot {
        &self.snapshot
    }
}

/// The changes of a cache, returned by [`Cache::subscribe`](crate::cache::Cache::subscribe). Read it with [`next`](Self::next) or as a
/// [`Stream`].
///
/// Every subscriber receives all changes at its own pace. A subscriber that lags too far behind misses none: it receives their sum, marked as
/// [resynced](CacheChange::is_resynced), which costs a comparison of all pairs. The stream ends when the cache is dropped, and
/// with an error when the cache ends by itself.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
/// cache.ready().await?;
/// let mut changes = cache.subscribe()?;
/// while let Some(change) = changes.next().await {
///     let change = change?;
///     println!("{} events up to revision {}", change.events().len(), change.revision());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "changes are read with `next` or as a stream"]
pub struct CacheChanges {
    seen: CacheSnapshot,
    changes: BoxStream<'static, Result<CacheChange, Error>>,
}

impl CacheChanges {
    pub(crate) fn new(
        base: CacheSnapshot,
        received: broadcast::Receiver<CacheChange>,
        state: watch::Receiver<CacheState>,
    ) -> Self {
        let reader = Reader { received, state, seen: base.clone() };
        Self { seen: base, changes: Box::pin(unfold(Some(reader), |reader| async { reader?.step().await })) }
    }

    /// Returns the pairs of the cache after the last delivered change. Initially, returns the pairs that the changes start from.
    pub fn snapshot(&self) -> &CacheSnapshot {
        &self.seen
    }

    /// Returns the next change, or `None` once the cache is dropped. An error is returned at most once, as the last item.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// let mut changes = cache.subscribe()?;
    /// while let Some(change) = changes.next().await {
    ///     println!("{} events", change?.events().len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
    state: watch::Receiver<CacheState>,
    /// The pairs after the last delivered change.
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
                    let error = self.state.borrow().end().cloned();
                    return error.map(|error| (Err(error), None));
                }
            }
        }
    }

    /// Combines all changes since the last delivered one, up to and including `change`.
    fn sum(&self, change: CacheChange) -> CacheChange {
        let events = difference(&self.seen.pairs, &change.snapshot.pairs, change.revision());
        CacheChange::new(true, events, change.snapshot)
    }
}
