//! The task of a cache: lists the range, then follows it with one watch, in a loop.

use std::{convert::Infallible, future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use etcd_errors::{Code, Error, ErrorKind};
use futures_core::Stream as _;
use tokio::{
    select,
    task::{consume_budget, unconstrained},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    cache::{
        progress_requests::{NextStep, ProgressRequests},
        replica::{pairs::Pairs, steps},
        shared::Shared,
        source::{Source, current_revision, lost_history},
    },
    kv::Get,
    request::{CallOptions, HistoryPin},
    transport::backoff::Backoff,
    watch::{Watch, WatchResponse, WatchResponseKind, WatchStream},
};

/// The background task that keeps a cache up to date.
#[derive(Debug)]
pub(crate) struct Follower {
    source: Arc<dyn Source>,
    shared: Arc<Shared>,
    /// Whether there is a copy that a watch can continue from.
    listed: bool,
    /// The history of that copy.
    history: u64,
    /// The number of consecutive failures.
    failures: u32,
}

/// Ends the cache if its task is dropped or panics. Reads would return the last state for ever otherwise.
struct Unfinished(Option<Arc<Shared>>);

impl Unfinished {
    /// Leaves the state of the cache as it is.
    fn finish(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(shared) = self.0.take() else { return };
        let error = if std::thread::panicking() {
            Error::new(ErrorKind::Closed, "the task of the cache panicked")
        } else {
            Error::new(ErrorKind::NoRuntime, "the Tokio runtime of the cache has shut down")
        };
        shared.end(error.with_operation("cache"));
    }
}

impl Follower {
    pub(crate) fn new(source: Arc<dyn Source>, shared: Arc<Shared>) -> Self {
        Self { source, shared, listed: false, history: 0, failures: 0 }
    }

    /// Follows the range until the cache is dropped or the service fails permanently.
    pub(crate) fn run(mut self, dropped: CancellationToken) -> impl Future<Output = ()> + Send {
        // Created here, because a task that is dropped before its first poll runs no code.
        let unfinished = Unfinished(Some(Arc::clone(&self.shared)));
        async move {
            select! {
                () = dropped.cancelled() => {}
                error = self.follow() => self.shared.end(error.with_operation("cache")),
            }
            unfinished.finish();
        }
    }

    async fn follow(&mut self) -> Error {
        loop {
            let Err(error) = self.list_and_watch().await;
            if is_final(&error) {
                return error;
            }
            self.listed &= !error.is_compacted() && !lost_history(&error);
            self.failures = self.failures.saturating_add(1);
            tracing::debug!(%error, "the watch of a cache failed");
            self.shared.failed(error);
            sleep(Backoff::RETRY.wait_at_least_half(self.failures, fastrand::u64(..))).await;
        }
    }

    async fn list_and_watch(&mut self) -> Result<Infallible, Error> {
        if !self.listed {
            self.list().await?;
            self.listed = true;
        }
        self.watch().await
    }

    /// Reads all pairs at one revision. The revision is read first, because an empty range has no page that contains it.
    async fn list(&mut self) -> Result<(), Error> {
        let history = self.source.history();
        let kv = self.source.kv();
        let pin = HistoryPin::new();
        let revision = current_revision(kv, self.shared.range(), &pin).await?;
        let get = Get::from_range(self.shared.range().clone()).revision(revision).bind(kv);
        let mut pages = get.options(CallOptions::default().pinned(&pin)).pages();
        let (before, mut pairs) = (self.shared.pairs(), Pairs::default());
        while let Some(page) = pages.next().await {
            for kv in page?.kvs {
                // Share unchanged pairs with the snapshots that readers still hold. The whole pair is compared, because in another
                // history the same revision may belong to a different change.
                let known = before.get(&kv.key).filter(|known| **known == kv);
                pairs.insert(known.cloned().unwrap_or_else(|| kv.into_owned()));
            }
        }
        if self.source.history() != history {
            // The pages may be of two histories.
            let text = "another history was accepted while the range was listed";
            return Err(Error::new(ErrorKind::RevisionRegressed, text));
        }
        self.history = history;
        self.shared.restart(revision, pairs, history);
        Ok(())
    }

    async fn watch(&mut self) -> Result<Infallible, Error> {
        let next = self.shared.revision().next();
        let watch = Watch::from_range(self.shared.range().clone()).start_revision(next).progress_notify();
        let mut watch = watch.in_history(self.history).bind(self.source.watch()).await?;
        self.shared.live();
        let mut requests = ProgressRequests::new(self.shared.wanted(), self.shared.revision());
        loop {
            let step = select! {
                response = watch.next() => {
                    self.take(response).await?;
                    continue;
                }
                step = requests.next() => step,
            };
            match step {
                NextStep::Due => requests.ask(&watch),
                NextStep::Answered(Ok(revision)) => {
                    self.take_delivered(&mut watch).await?;
                    self.shared.advance(revision);
                    requests.answered(self.shared.revision());
                }
                NextStep::Answered(Err(error)) => {
                    tracing::debug!(%error, "a progress request of a cache failed");
                    self.shared.progress_is_out();
                    requests.failed();
                }
            }
        }
    }

    /// Reads the responses that the watch has buffered, without waiting.
    ///
    /// The progress revision covers them: the cache must apply them before it advances to that revision.
    async fn take_delivered(&mut self, watch: &mut WatchStream) -> Result<(), Error> {
        loop {
            // Tokio's cooperative budget is disabled here. Once exhausted, it returns `Pending` although a response is buffered.
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut *watch).poll_next(cx)));
            match unconstrained(polled).await {
                Poll::Ready(response) => self.take(response).await?,
                Poll::Pending => return Ok(()),
            }
        }
    }

    async fn take(&mut self, response: Option<Result<WatchResponse, Error>>) -> Result<(), Error> {
        let response = response.unwrap_or_else(|| Err(watch_ended()))?;
        self.failures = 0;
        match response.kind {
            WatchResponseKind::Events => {}
            WatchResponseKind::Progress => self.shared.advance(response.header.revision),
            // Not requested. Events before the revision of a creation may still follow, so it must not advance the cache.
            WatchResponseKind::Created => {}
            // A resync does not know the listed pairs, so it cannot report which of them were deleted. Re-list instead.
            WatchResponseKind::Resynced(_) => return Err(watch_ended().with_code(Code::Compacted)),
        }
        let (pairs, at) = (self.shared.pairs(), self.shared.revision());
        for step in steps(pairs, at, self.shared.span(), response.events) {
            self.shared.step(step);
            consume_budget().await;
        }
        Ok(())
    }
}

/// Returns whether an error is permanent: the service is closed, or does not support such requests.
fn is_final(error: &Error) -> bool {
    let permanent = matches!(
        error.kind(),
        ErrorKind::Closed
            | ErrorKind::NoRuntime
            | ErrorKind::Unsupported
            | ErrorKind::InvalidConfig
            | ErrorKind::InvalidRequest
    );
    // A compaction may be reported as `InvalidRequest`, and is resolved by a re-list.
    permanent && !error.is_compacted()
}

fn watch_ended() -> Error {
    Error::new(ErrorKind::Unavailable, "the watch ended")
}
