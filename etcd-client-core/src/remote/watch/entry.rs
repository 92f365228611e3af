//! One watch as its lane holds it.

use std::sync::{Arc, atomic::Ordering};

use etcd_errors::{Error, ErrorKind};
use tokio::{sync::oneshot, time::Instant};

use super::{
    known::Known,
    shared::{Counters, Shared},
};
use crate::{
    mechanism::{history::History, watch::Position},
    model::{Endpoint, ResponseHeader},
    op::SlowReader,
    service::{WatchResponse, WatchStatus},
};

/// One watch as its lane holds it, and as it is handed from lane to lane.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) shared: Arc<Shared>,
    pub(super) position: Position,
    /// Who waits for the creation, until then.
    pub(super) creation: Option<oneshot::Sender<Result<(), Error>>>,
    announced: bool,
    /// How often another token was got for it since it was last created.
    pub(super) renewals: u32,
    /// Whether it was created again after it was cancelled without a reason, and nothing was delivered since.
    pub(super) recreated: bool,
    /// Which of the client's histories its position is of.
    pub(super) history: u64,
    /// What its reader knows, where a listing may have to be compared with it.
    pub(super) known: Option<Known>,
}

/// What a response was to a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    Fits,
    /// It is kept, and more must not come.
    Park,
    /// The watch has ended for it.
    Failed,
}

impl Entry {
    /// What happened up to `history`'s highest revision is older than a watch that is created from now on.
    pub(super) fn new(
        shared: Arc<Shared>,
        creation: oneshot::Sender<Result<(), Error>>,
        history: &History,
    ) -> Self {
        let position = match shared.spec.start_revision.get() {
            0 => Position::now_after(history.floor()),
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

    /// It was created on `endpoint`, for the first time or again.
    pub(super) fn created(&mut self, header: ResponseHeader, endpoint: &Endpoint) {
        self.renewals = 0;
        let endpoint = Some(endpoint.clone());
        self.shared.set_status(WatchStatus::Connected { endpoint, since: Instant::now() });
        if self.shared.spec.created_notify && self.creation.is_some() && !self.announced {
            self.announced = true;
            self.shared.with_buffer(|buffer| buffer.push(WatchResponse::created(header)));
        }
    }

    /// Tells whoever waits for the creation.
    pub(super) fn announce(&mut self) {
        if let Some(creation) = self.creation.take() {
            // Who gave up waiting has dropped the reader as well.
            let _ = creation.send(Ok(()));
        }
    }

    /// It lost its stream, or could not be created.
    pub(super) fn lost(&self, since: Instant, error: &Error) {
        if self.creation.is_none() {
            self.shared.set_status(WatchStatus::Resuming { since, error: error.clone() });
        } else {
            self.shared.set_trouble(error);
        }
    }

    /// Another history takes the place of the one that it was in. `false` where nothing can be made of it there: it has to end.
    pub(super) fn enter(&mut self, history: &History) -> bool {
        let begun = self.creation.is_none();
        let has_past = if begun { self.known.is_none() } else { self.shared.spec.start_revision != 0 };
        if has_past {
            return false;
        }
        self.history = history.number();
        self.known.iter_mut().for_each(Known::distrust);
        self.position = if begun { Position::after(0) } else { Position::now_after(history.floor()) };
        true
    }

    /// It is over.
    pub(super) fn end(&mut self, error: Error) {
        let error = error.with_operation("watch");
        if let Some(creation) = self.creation.take() {
            let _ = creation.send(Err(error.clone()));
        }
        self.shared.end(Some(error));
    }

    /// Hands events to the reader.
    pub(super) fn deliver(&mut self, response: WatchResponse) -> Fill {
        if let Some(known) = &mut self.known {
            response.events.iter().for_each(|event| known.learn(event));
        }
        self.recreated = false;
        let policy = self.shared.spec.slow_reader;
        let counters = &self.shared.counters;
        let fill = self.shared.with_buffer(|buffer| {
            if !buffer.push(response) {
                return Fill::Fits;
            }
            if policy == SlowReader::Coalesce {
                let (coalesced, fits) = buffer.coalesce();
                Counters::add(&counters.coalesced, coalesced);
                if fits {
                    return Fill::Fits;
                }
            }
            if policy == SlowReader::Fail {
                return Fill::Failed;
            }
            buffer.park();
            Fill::Park
        });
        match fill {
            Fill::Fits => {}
            Fill::Park => {
                counters.parked.fetch_add(1, Ordering::Relaxed);
                self.shared.set_status(WatchStatus::Parked { since: Instant::now() });
            }
            Fill::Failed => {
                let limit = self.shared.spec.buffer_bytes;
                let text =
                    format!("the reader is slower than the events: more than {limit} bytes wait for it");
                self.end(Error::new(ErrorKind::Lagged, text));
            }
        }
        fill
    }
}
