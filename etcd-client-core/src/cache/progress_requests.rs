//! Progress requests to the watch of a cache: sent while a caller waits for a revision, one at a time.

use std::{fmt, future::poll_fn, time::Duration};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{types::Revision, watch::WatchStream};

/// The pause after a progress revision that is too low, so that a lagging member is not called in a tight loop.
const PAUSE: Duration = Duration::from_millis(20);

/// The pause after a failed request. Usually the member is too old to support progress requests.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The progress requests to one watch.
pub(crate) struct ProgressRequests {
    /// The highest revision that a caller has waited for.
    wanted: watch::Receiver<Revision>,
    /// Whether a caller waits for a revision that the watch has not confirmed.
    open: bool,
    not_before: Instant,
    asked: Option<BoxFuture<'static, Result<Revision, Error>>>,
}

/// The next step of the progress requests.
pub(crate) enum NextStep {
    /// A request is due.
    Due,
    /// The revision up to which the watch has delivered all events, or the error of the request.
    Answered(Result<Revision, Error>),
}

impl ProgressRequests {
    /// Creates the requests for a watch that has reached `revision`.
    pub(crate) fn new(mut wanted: watch::Receiver<Revision>, revision: Revision) -> Self {
        let open = *wanted.borrow_and_update() > revision;
        Self { wanted, open, not_before: Instant::now(), asked: None }
    }

    /// Waits until a request is due, or for the response to the current one. Cancel safe.
    pub(crate) async fn next(&mut self) -> NextStep {
        if let Some(asked) = &mut self.asked {
            let answer = poll_fn(|cx| asked.as_mut().poll(cx)).await;
            self.asked = None;
            return NextStep::Answered(answer);
        }
        if !self.open {
            // Cannot fail: the sender lives as long as the task that calls this.
            let _ = self.wanted.changed().await;
            self.open = true;
        }
        sleep_until(self.not_before).await;
        NextStep::Due
    }

    pub(crate) fn ask(&mut self, watch: &WatchStream) {
        // A caller that begins to wait after this point needs another request: this one may report an earlier revision.
        self.wanted.borrow_and_update();
        self.open = false;
        self.asked = Some(Box::pin(watch.progress()));
    }

    /// Records that the watch has reached `revision`. Another request is due if a caller waits for a later one.
    pub(crate) fn answered(&mut self, revision: Revision) {
        let enough = *self.wanted.borrow() <= revision;
        self.open = !enough;
        self.not_before = Instant::now() + if enough { Duration::ZERO } else { PAUSE };
    }

    /// Records a failed request. The callers that waited have been notified; the next caller triggers another request.
    pub(crate) fn failed(&mut self) {
        self.not_before = Instant::now() + PAUSE_AFTER_FAILURE;
    }
}

impl fmt::Debug for ProgressRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions").field("wanted", &*self.wanted.borrow()).finish_non_exhaustive()
    }
}
