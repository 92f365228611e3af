//! The state that a stream task keeps for one watch.

use std::sync::{Arc, atomic::Ordering};

use etcd_errors::{Error, ErrorKind};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    transport::connection::history::History,
    types::{Endpoint, ResponseHeader},
    watch::{
        Backpressure, WatchResponse, WatchStatus,
        remote::{
            key_index::Known,
            shared::{Counters, Shared},
        },
        state::position::Position,
    },
};

/// One watch, owned by a stream task and passed on when it moves to another one.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) shared: Arc<Shared>,
    pub(crate) position: Position,
    /// The caller that waits for the creation. `None` once the watch was created.
    pub(crate) creation: Option<oneshot::Sender<Result<(), Error>>>,
    announced: bool,
    /// The number of token renewals since it was last created.
    pub(crate) renewals: u32,
    /// Set if the watch was re-created after a cancellation without a reason, until the next event.
    pub(crate) recreated: bool,
    /// The number of the client's history that `position` belongs to.
    pub(crate) history: u64,
    /// The keys that the reader knows. Present if a listing may have to be compared with them.
    pub(crate) known: Option<Known>,
}

/// The effect of a response on the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Fits,
    /// The response was kept, and delivery has to pause.
    Pause,
    /// The watch has failed because the buffer is full.
    Failed,
}

impl Subscription {
    /// Creates the state of a new watch. A watch from now on ignores everything up to the highest revision of
    /// `history`, because it is older than the watch.
    pub(crate) fn new(
        shared: Arc<Shared>,
        creation: oneshot::Sender<Result<(), Error>>,
        history: &History,
    ) -> Self {
        let position = match shared.spec.start_revision.get() {
            0 => Position::now_after(history.min_revision()),
            start => Position::new(start),
        };
        let history = shared.spec.history.unwrap_or_else(|| history.number());
        let known = shared.spec.resync.then(Known::default);
        Self {
            shared,
            position,
            creation: Some(creation),
            announced: false,
            renewals: 0,
            recreated: false,
            history,
            known,
        }
    }

    /// Records that the watch was created on `endpoint`, for the first time or again.
    pub(crate) fn created(&mut self, header: ResponseHeader, endpoint: &Endpoint) {
        // The token of this stream works, so a later rejection starts from zero.
        self.renewals = 0;
        let endpoint = Some(endpoint.clone());
        self.shared.set_status(WatchStatus::Connected { endpoint, since: Instant::now() });
        if self.shared.spec.created_notify && self.creation.is_some() && !self.announced {
            self.announced = true;
            self.shared.with_buffer(|buffer| buffer.push(WatchResponse::created(header)));
        }
    }

    /// Notifies the caller that waits for the creation.
    pub(crate) fn announce(&mut self) {
        if let Some(creation) = self.creation.take() {
            // A caller that no longer waits has dropped the reader as well.
            let _ = creation.send(Ok(()));
        }
    }

    /// Records that the watch lost its stream or could not be created.
    pub(crate) fn lost(&self, since: Instant, error: &Error) {
        if self.creation.is_none() {
            self.shared.set_status(WatchStatus::Resuming { since, error: error.clone() });
        } else {
            self.shared.set_last_error(error);
        }
    }

    /// Moves the watch to the history that replaced its own. Returns false if it has to end, because its position
    /// means nothing in the new history.
    pub(crate) fn enter(&mut self, history: &History) -> bool {
        let begun = self.creation.is_none();
        let has_past = if begun { self.known.is_none() } else { self.shared.spec.start_revision != 0 };
        if has_past {
            return false;
        }
        self.history = history.number();
        self.known.iter_mut().for_each(Known::distrust);
        // A watch that had begun resumes from a listing. Until then it has no position in the new history.
        self.position = if begun { Position::after(0) } else { Position::now_after(history.min_revision()) };
        true
    }

    /// Ends the watch.
    pub(crate) fn end(&mut self, error: Error) {
        let error = error.with_operation("watch");
        if let Some(creation) = self.creation.take() {
            let _ = creation.send(Err(error.clone()));
        }
        self.shared.end(Some(error));
    }

    /// Delivers events to the reader.
    pub(crate) fn deliver(&mut self, response: WatchResponse) -> Fill {
        if let Some(known) = &mut self.known {
            // Before the buffer, which may drop events: a listing is compared with everything delivered.
            response.events.iter().for_each(|event| known.learn(event));
        }
        self.recreated = false;
        let policy = self.shared.spec.backpressure;
        let counters = &self.shared.counters;
        let fill = self.shared.with_buffer(|buffer| {
            if !buffer.push(response) {
                return Fill::Fits;
            }
            if policy == Backpressure::Coalesce {
                let (coalesced, fits) = buffer.coalesce();
                Counters::add(&counters.coalesced, coalesced);
                if fits {
                    return Fill::Fits;
                }
            }
            if policy == Backpressure::Fail {
                return Fill::Failed;
            }
            buffer.park();
            Fill::Pause
        });
        match fill {
            Fill::Fits => {}
            Fill::Pause => {
                counters.paused.fetch_add(1, Ordering::Relaxed);
                self.shared.set_status(WatchStatus::Paused { since: Instant::now() });
            }
            Fill::Failed => {
                let limit = self.shared.spec.buffer_bytes;
                let text = format!("the reader fell behind: more than {limit} bytes of events are buffered");
                self.end(Error::new(ErrorKind::Lagged, text));
            }
        }
        fill
    }
}
