//! Watches the endpoints of a service.

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

use crate::{
    cache::source::lost_history,
    naming::{
        change::{EndpointChange, Known, apply, replace},
        endpoints::Endpoints,
    },
    transport::backoff::Backoff,
    watch::{Watch, WatchResponse, WatchStream},
};

/// A watch of a service's endpoints, returned by [`Endpoints::watch`]. Read it with [`next`](Self::next) or as a [`Stream`].
///
/// The first batch contains all endpoints, and each later batch the changes of one revision. The watch survives the loss of members. If
/// unseen changes were compacted, or another cluster or history was accepted, it re-lists the endpoints, retrying through any outage, and
/// delivers the difference as one batch. An error is returned at most once, as the last item. Dropping the watch cancels it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
/// let mut watch = endpoints.watch().await?;
/// while let Some(batch) = watch.next().await {
///     println!("{} changes", batch?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "batches are read with `next` or as a stream"]
pub struct EndpointWatch {
    batches: BoxStream<'static, Result<Vec<EndpointChange>, Error>>,
}

impl EndpointWatch {
    pub(crate) async fn start(endpoints: Endpoints) -> Result<Self, Error> {
        let mut following =
            Following { endpoints, known: Known::new(), watch: None, ready: VecDeque::new(), failures: 0 };
        while following.watch.is_none() {
            following.list_first().await?;
        }
        if following.ready.is_empty() {
            // The first batch is delivered even if there are no endpoints.
            following.ready.push_back(Vec::new());
        }
        Ok(Self { batches: unfold(Some(following), batch).boxed() })
    }

    /// Returns the next batch of changes.
    ///
    /// # Errors
    ///
    /// Returns a permanent error, such as a closed client or a missing permission, as the last item.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// let mut watch = endpoints.watch().await?;
    /// while let Some(batch) = watch.next().await {
    ///     println!("{} changes", batch?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<Vec<EndpointChange>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Converts the batches into single changes, the form that service discovery APIs expect. The changes end as the batches do.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// let mut changes = endpoints.watch().await?.into_changes();
    /// while let Some(change) = changes.next().await {
    ///     println!("{:?}", change?.key());
    /// }
    /// # Ok(())
    /// # }
    /// ```
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

/// The changes of a service's endpoints one by one, returned by [`EndpointWatch::into_changes`].
#[derive(Debug)]
#[must_use = "changes are read with `next` or as a stream"]
pub struct EndpointChanges {
    watch: EndpointWatch,
    changes: VecDeque<EndpointChange>,
}

impl EndpointChanges {
    /// Returns the next change.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`EndpointWatch::next`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// let mut changes = endpoints.watch().await?.into_changes();
    /// while let Some(change) = changes.next().await {
    ///     println!("{:?}", change?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
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

/// Returns whether an error is permanent: the service is closed, does not support such requests, or denies permission.
fn is_final(error: &Error) -> bool {
    let permanent = matches!(
        error.kind(),
        ErrorKind::Closed
            | ErrorKind::NoRuntime
            | ErrorKind::Unsupported
            | ErrorKind::InvalidConfig
            | ErrorKind::InvalidRequest
    );
    (permanent || error.is_permission_denied()) && !error.is_compacted()
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
    /// `None` if the endpoints must be re-listed.
    watch: Option<WatchStream>,
    ready: VecDeque<Vec<EndpointChange>>,
    /// The number of consecutive lists without a response from the watch after them. The first list counts only if its watch could not be
    /// created.
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

    /// Lists the endpoints for the first time. Unlike [`list_again`](Self::list_again), it returns every error except a compaction
    /// between list and watch, because the caller of `watch` is waiting. After a compaction the caller retries with a backoff.
    async fn list_first(&mut self) -> Result<(), Error> {
        self.back_off().await;
        match self.list().await {
            Ok(changes) => {
                self.failures = 0;
                self.ready.extend((!changes.is_empty()).then_some(changes));
            }
            Err(error) if error.is_compacted() => self.failures = self.failures.saturating_add(1),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Re-lists the endpoints after the watch has ended. Temporary errors are ignored and the known endpoints kept: the caller
    /// retries with a backoff.
    async fn list_again(&mut self) -> Result<(), Error> {
        self.back_off().await;
        self.failures = self.failures.saturating_add(1);
        match self.list().await {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => self.ready.push_back(changes),
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => tracing::debug!(%error, "cannot re-list the endpoints; retrying"),
        }
        Ok(())
    }

    async fn back_off(&self) {
        if self.failures > 0 {
            sleep(Backoff::RETRY.wait(self.failures, fastrand::u64(..))).await;
        }
    }

    /// Lists the endpoints, starts a watch after the list and returns the difference. The known endpoints are only replaced once the
    /// watch is created, so that a failed attempt loses no difference.
    async fn list(&mut self) -> Result<Vec<EndpointChange>, Error> {
        let history = self.endpoints.history();
        let (listed, revision) = self.endpoints.listed().await?;
        let watch = Watch::new(self.endpoints.directory()).prefix().start_revision(revision.next());
        let watch = watch.in_history(history);
        self.watch = Some(watch.bind(self.endpoints.watch_service()).await?);
        Ok(replace(&mut self.known, listed))
    }
}
