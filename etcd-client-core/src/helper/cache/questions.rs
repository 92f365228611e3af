//! When a watch is asked how far it is: while somebody waits for that, one question at a time.

use std::{fmt, future::poll_fn, time::Duration};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{model::Revision, service::WatchHandle};

/// After an answer that was not enough, so that a member that lags is not asked in a loop.
const PAUSE: Duration = Duration::from_millis(20);

/// After a failure: as a rule the member is too old to be asked at all.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The questions to one watch.
pub(super) struct Questions {
    /// The highest revision that was waited for.
    wanted: watch::Receiver<Revision>,
    /// Whether somebody waits for an answer.
    open: bool,
    not_before: Instant,
    asked: Option<BoxFuture<'static, Result<Revision, Error>>>,
}

/// What comes next.
pub(super) enum Question {
    /// It is time to ask.
    Due,
    /// A revision up to which the watch has delivered everything, or why it cannot tell.
    Answered(Result<Revision, Error>),
}

impl Questions {
    /// Those of a watch that is known to be at `revision`.
    pub(super) fn new(mut wanted: watch::Receiver<Revision>, revision: Revision) -> Self {
        let open = *wanted.borrow_and_update() > revision;
        Self { wanted, open, not_before: Instant::now(), asked: None }
    }

    /// Waits until there is something to ask, or for the answer to what was asked.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Question {
        if let Some(asked) = &mut self.asked {
            let answer = poll_fn(|cx| asked.as_mut().poll(cx)).await;
            self.asked = None;
            return Question::Answered(answer);
        }
        if !self.open {
            // The sender lives as long as the task that asks.
            let _ = self.wanted.changed().await;
            self.open = true;
        }
        sleep_until(self.not_before).await;
        Question::Due
    }

    pub(super) fn ask(&mut self, watch: &WatchHandle) {
        // Who begins to wait from here on needs an answer to another question.
        self.wanted.borrow_and_update();
        self.open = false;
        self.asked = Some(Box::pin(watch.progress()));
    }

    /// The watch is at `revision`: who waits for a later one needs another answer.
    pub(super) fn answered(&mut self, revision: Revision) {
        let enough = *self.wanted.borrow() <= revision;
        self.open = !enough;
        self.not_before = Instant::now() + if enough { Duration::ZERO } else { PAUSE };
    }

    /// Nobody waits for longer: the next who asks begins anew.
    pub(super) fn failed(&mut self) {
        self.not_before = Instant::now() + PAUSE_AFTER_FAILURE;
    }
}

impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions").field("wanted", &*self.wanted.borrow()).finish_non_exhaustive()
    }
}
