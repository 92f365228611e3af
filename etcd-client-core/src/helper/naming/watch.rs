//! Following the endpoints of a service.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use etcd_errors::{Error, ErrorKind};
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::{StreamExt as _, unfold};
use tokio::time::sleep;

use super::{
    EndpointChange, Endpoints,
    change::{Known, apply, replace},
};
use crate::{
    helper::source::lost_history,
    mechanism::backoff::Backoff,
    op::WatchCreate,
    service::{WatchHandle, WatchResponse},
};

/// The endpoints of a service as they change: first all of them, then a batch for each revision that changes any.
///
/// It survives the loss of members as a watch does. Where a compaction took changes that were not seen, or another cluster or history
/// was accepted, it lists the endpoints again, through any outage, and goes on with one batch that leads there. It ends with an error at most once, as the last. Dropping it ends the watch.
#[must_use = "a watch gives its batches to `next` or as a stream"]
pub struct EndpointWatch {
    batches: BoxStream<'static, Result<Vec<EndpointChange>, Error>>,
}

impl EndpointWatch {
    pub(super) async fn start(endpoints: Endpoints) -> Result<Self, Error> {
        let mut following =
            Following { endpoints, known: Known::new(), watch: None, ready: VecDeque::new(), failures: 0 };
        while following.watch.is_none() {
            following.list_first().await?;
        }
        if following.ready.is_empty() {
            // The first batch tells even that there are none.
            following.ready.push_back(Vec::new());
        }
        Ok(Self { batches: unfold(Some(following), batch).boxed() })
    }

    /// The next batch.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Vec<EndpointChange>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The changes one by one, as who discovers services takes them. It ends as the batches do.
    pub fn into_changes(self) -> EndpointChanges {
        EndpointChanges { watch: self, changes: VecDeque::new() }
    }
}

impl Stream for EndpointWatch {
    type Item = Result<Vec<EndpointChange>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for EndpointWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointWatch").finish_non_exhaustive()
    }
}

/// The changes of the endpoints of a service, one by one.
#[derive(Debug)]
#[must_use = "a stream gives its changes to `next` or as a stream"]
pub struct EndpointChanges {
    watch: EndpointWatch,
    changes: VecDeque<EndpointChange>,
}

impl EndpointChanges {
    /// The next change.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Result<EndpointChange, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for EndpointChanges {
    type Item = Result<EndpointChange, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Poll::Ready(Some(Ok(change)));
            }
            match ready!(Pin::new(&mut self.watch).poll_next(cx)) {
                Some(Ok(batch)) => self.changes = batch.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// Whether trying again is in vain: the service is closed, or does not take such requests.
fn is_final(error: &Error) -> bool {
    let in_vain = matches!(
        error.kind(),
        ErrorKind::Closed
            | ErrorKind::NoRuntime
            | ErrorKind::Unsupported
            | ErrorKind::InvalidConfig
            | ErrorKind::InvalidRequest
    );
    (in_vain || error.is_permission_denied()) && !error.is_compacted()
}

async fn batch(
    following: Option<Following>,
) -> Option<(Result<Vec<EndpointChange>, Error>, Option<Following>)> {
    let mut following = following?;
    match following.next().await {
        Ok(batch) => Some((Ok(batch), Some(following))),
        Err(error) => Some((Err(error.with_operation("watch endpoints")), None)),
    }
}

struct Following {
    endpoints: Endpoints,
    known: Known,
    /// `None` where the endpoints have to be listed again.
    watch: Option<WatchHandle>,
    ready: VecDeque<Vec<EndpointChange>>,
    /// Lists in a row after which nothing came.
    failures: u32,
}

impl Following {
    async fn next(&mut self) -> Result<Vec<EndpointChange>, Error> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(batch);
            }
            let Some(watch) = &mut self.watch else {
                self.list_again().await?;
                continue;
            };
            match watch.next().await {
                Some(Ok(response)) => self.take(&response),
                Some(Err(error)) if error.is_compacted() || lost_history(&error) => self.watch = None,
                Some(Err(error)) => return Err(error),
                None => return Err(Error::new(ErrorKind::Unavailable, "the watch ended")),
            }
        }
    }

    fn take(&mut self, response: &WatchResponse) {
        self.failures = 0;
        self.ready.extend(apply(&mut self.known, &response.events));
    }

    /// As [`list_again`](Self::list_again), for whoever waits for the beginning: it hears of every failure but a compaction.
    async fn list_first(&mut self) -> Result<(), Error> {
        match self.list().await {
            Ok(changes) => self.ready.extend((!changes.is_empty()).then_some(changes)),
            Err(error) if error.is_compacted() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Lists until there is a watch again, through any outage: what was known stays known.
    async fn list_again(&mut self) -> Result<(), Error> {
        if self.failures > 0 {
            sleep(Backoff::RESEND.wait(self.failures, fastrand::u64(..))).await;
        }
        self.failures = self.failures.saturating_add(1);
        match self.list().await {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => self.ready.push_back(changes),
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => tracing::debug!(%error, "the endpoints could not be listed again"),
        }
        Ok(())
    }

    /// Lists, watches from there, and says what changed. What is known stays as it is where the watch is not created.
    async fn list(&mut self) -> Result<Vec<EndpointChange>, Error> {
        let history = self.endpoints.history();
        let (listed, revision) = self.endpoints.listed().await?;
        let watch = WatchCreate::new(self.endpoints.directory()).prefix().start_revision(revision.next());
        let watch = watch.in_history(history);
        self.watch = Some(watch.bind(self.endpoints.watch_service()).await?);
        Ok(replace(&mut self.known, listed))
    }
}
