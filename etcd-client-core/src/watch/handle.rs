//! The handle of a watch.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, ready},
};

use etcd_errors::{Error, ErrorKind};
use futures_core::{Stream, future::BoxFuture, stream::BoxStream};
use futures_util::stream::{StreamExt as _, poll_fn as stream_of};
use tokio::sync::{mpsc, watch};

use crate::{
    types::{Event, Revision},
    watch::{WatchControl, WatchCounters, WatchResponse, WatchResponseKind, WatchStatus},
};

/// A watch: a stream of responses that ends only when it is cancelled, or with one error.
///
/// The watch survives the loss of members and connections; [`status`](Self::status) shows when that happens. Dropping
/// the handle cancels the watch on the server immediately.
///
/// The handle and its event stream keep their client alive. Dropping the last [`Client`](crate::client::Client) therefore
/// ends no watch; [`Client::close`](crate::client::Client::close) ends all of them.
///
/// # Examples
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let mut watch = client.watch("config/").prefix().await?;
/// while let Some(response) = watch.next().await {
///     for event in response?.events {
///         println!("{:?} {:?}", event.event_type, event.kv.key_str());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "WatchChan")]
#[must_use = "a watch that is dropped is cancelled"]
pub struct WatchStream {
    /// `None` once the watch has ended. The lock is never taken; it only makes the handle `Sync`, so that threads can
    /// share it for its status and progress.
    responses: Option<Mutex<BoxStream<'static, Result<WatchResponse, Error>>>>,
    control: Arc<dyn WatchControl>,
}

impl WatchStream {
    pub(crate) fn new(
        responses: BoxStream<'static, Result<WatchResponse, Error>>,
        control: Arc<dyn WatchControl>,
    ) -> Self {
        Self { responses: Some(Mutex::new(responses)), control }
    }

    pub(crate) fn from_channel(
        mut received: mpsc::Receiver<Result<WatchResponse, Error>>,
        status: watch::Receiver<WatchStatus>,
    ) -> Self {
        let control = Arc::new(Delivered { status, revision: AtomicI64::new(0) });
        let delivered = Arc::clone(&control);
        let responses = stream_of(move |cx| {
            let response = ready!(received.poll_recv(cx));
            if let Some(Ok(response)) = &response {
                delivered.note(response);
            }
            Poll::Ready(response)
        });
        Self::new(responses.boxed(), control)
    }

    /// Returns the next response, or `None` after the end of the watch. An error is returned at most once, as the
    /// last item.
    ///
    /// # Cancel safety
    /// This method is cancel safe: no response is lost if the future is dropped.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(mut watch: etcd_client_core::watch::WatchStream) -> Result<(), etcd_client_core::Error> {
    /// while let Some(response) = watch.next().await {
    ///     let response = response?;
    ///     println!("{} events at {}", response.events.len(), response.header.revision);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<WatchResponse, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns the events as a stream, without notifications.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(watch: etcd_client_core::watch::WatchStream) -> Result<(), etcd_client_core::Error> {
    /// let mut events = watch.events();
    /// while let Some(event) = events.next().await {
    ///     let event = event?;
    ///     println!("{:?} {:?}", event.event_type, event.kv.key);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(self) -> EventStream {
        EventStream { watch: self, events: VecDeque::new() }
    }

    /// Waits for a revision up to which everything was delivered to this handle. Responses that are not read yet
    /// count as delivered.
    ///
    /// The future does not borrow the handle, so one task can await it while another task reads.
    ///
    /// # Errors
    /// - [`Unsupported`](ErrorKind::Unsupported): the member cannot report its progress reliably, because it is older
    ///   than 3.4.25 or 3.5.8.
    /// - [`Timeout`](ErrorKind::Timeout): the client's timeout has passed.
    /// - The error of the watch, if it has ended.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(watch: etcd_client_core::watch::WatchStream) -> Result<(), etcd_client_core::Error> {
    /// let delivered = watch.progress().await?;
    /// println!("everything up to revision {delivered} was delivered");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RequestProgress")]
    pub fn progress(&self) -> impl Future<Output = Result<Revision, Error>> + Send + use<> {
        self.control.progress()
    }

    /// Returns the current status of the watch.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(watch: etcd_client_core::watch::WatchStream) {
    /// use etcd_client_core::watch::WatchStatus;
    ///
    /// let connected = matches!(watch.status(), WatchStatus::Connected { .. });
    /// # let _ = connected;
    /// # }
    /// ```
    pub fn status(&self) -> WatchStatus {
        self.control.status().borrow().clone()
    }

    /// Returns a stream of statuses. It starts with the current one, yields every change, and ends with the watch.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(watch: etcd_client_core::watch::WatchStream) {
    /// use futures_util::StreamExt;
    ///
    /// let mut statuses = watch.statuses();
    /// while let Some(status) = statuses.next().await {
    ///     println!("{status:?}");
    /// }
    /// # }
    /// ```
    pub fn statuses(&self) -> impl Stream<Item = WatchStatus> + Send + Unpin + use<> {
        let seen = Some((self.control.status(), true));
        Box::pin(futures_util::stream::unfold(seen, |seen| async move {
            let (mut status, first) = seen?;
            if !first && status.changed().await.is_err() {
                return None;
            }
            let now = status.borrow_and_update().clone();
            let ended = matches!(now, WatchStatus::Ended { .. });
            Some((now, (!ended).then_some((status, false))))
        }))
    }

    /// Returns the counters of the watch.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(watch: etcd_client_core::watch::WatchStream) {
    /// println!("re-created {} times", watch.counters().resumed);
    /// # }
    /// ```
    pub fn counters(&self) -> WatchCounters {
        self.control.counters()
    }

    /// Cancels the watch on the server immediately. The stream then ends without an error.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(mut watch: etcd_client_core::watch::WatchStream) {
    /// watch.cancel();
    /// assert!(watch.next().await.is_none());
    /// # }
    /// ```
    pub fn cancel(&mut self) {
        self.responses = None;
    }

    /// Applies `change` to every event of the watch, as a wrapper does to change keys.
    ///
    /// `None` omits the event. An error ends the watch with this error.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(watch: etcd_client_core::watch::WatchStream) {
    /// // Deliver only deletions.
    /// let deletions = watch.map_events(|event| Ok(event.is_delete().then_some(event)));
    /// # let _ = deletions;
    /// # }
    /// ```
    pub fn map_events<F>(self, mut change: F) -> Self
    where
        F: FnMut(Event) -> Result<Option<Event>, Error> + Send + 'static,
    {
        let control = Arc::clone(&self.control);
        let mut failed = false;
        let changed = self.map(move |response| {
            let mut response = response?;
            let events = std::mem::take(&mut response.events);
            response.events =
                events.into_iter().filter_map(|event| change(event).transpose()).collect::<Result<_, _>>()?;
            Ok(response)
        });
        let until_failure = changed.take_while(move |response| {
            // The first error is still delivered. Later responses are not, since a watch ends with its error.
            let going_on = !failed;
            failed |= response.is_err();
            std::future::ready(going_on)
        });
        let shown = until_failure.filter(|response| {
            // A response whose events are all omitted is hidden. Notifications have no events and stay.
            let empty =
                matches!(response, Ok(r) if r.kind == WatchResponseKind::Events && r.events.is_empty());
            std::future::ready(!empty)
        });
        Self::new(shown.boxed(), control)
    }
}

impl Stream for WatchStream {
    type Item = Result<WatchResponse, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(responses) = &mut self.responses else { return Poll::Ready(None) };
        let responses = responses.get_mut().unwrap_or_else(PoisonError::into_inner);
        let response = ready!(responses.as_mut().poll_next(cx));
        if !matches!(response, Some(Ok(_))) {
            // Dropping the stream releases the watch and lets later polls return `None`.
            self.responses = None;
        }
        Poll::Ready(response)
    }
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream").field("control", &self.control).finish_non_exhaustive()
    }
}

/// The events of a watch, one by one. The stream ends when the watch ends.
#[derive(Debug)]
#[must_use = "a watch that is dropped is cancelled"]
pub struct EventStream {
    watch: WatchStream,
    events: VecDeque<Event>,
}

impl EventStream {
    /// Returns the next event, or `None` after the end of the watch. An error is returned at most once, as the last
    /// item.
    ///
    /// # Cancel safety
    /// This method is cancel safe: no event is lost if the future is dropped.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut events = client.watch("config/").prefix().await?.events();
    /// while let Some(event) = events.next().await {
    ///     println!("{:?}", event?.kv.key);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns the watch, for its status and progress.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(events: etcd_client_core::watch::EventStream) {
    /// println!("{:?}", events.watch().status());
    /// # }
    /// ```
    pub fn watch(&self) -> &WatchStream {
        &self.watch
    }
}

impl Stream for EventStream {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            match ready!(Pin::new(&mut self.watch).poll_next(cx)) {
                Some(Ok(response)) => self.events = response.events.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// The control of a handle whose responses come from a channel.
#[derive(Debug)]
struct Delivered {
    status: watch::Receiver<WatchStatus>,
    revision: AtomicI64,
}

impl Delivered {
    fn note(&self, response: &WatchResponse) {
        let revision = match response.kind {
            WatchResponseKind::Progress => Some(response.header.revision),
            // The header of a watch that started at an earlier revision can be ahead of what was delivered.
            WatchResponseKind::Created => None,
            WatchResponseKind::Resynced(revision) => Some(revision),
            WatchResponseKind::Events => response.events.last().map(Event::revision),
        };
        if let Some(revision) = revision {
            self.revision.fetch_max(revision.get(), Ordering::AcqRel);
        }
    }
}

impl WatchControl for Delivered {
    fn progress(&self) -> BoxFuture<'static, Result<Revision, Error>> {
        let ended = match &*self.status.borrow() {
            WatchStatus::Ended { error } => Some(
                error.clone().unwrap_or_else(|| Error::new(ErrorKind::Closed, "the watch was cancelled")),
            ),
            _ => None,
        };
        let revision = Revision::new(self.revision.load(Ordering::Acquire));
        Box::pin(std::future::ready(ended.map_or(Ok(revision), Err)))
    }

    fn status(&self) -> watch::Receiver<WatchStatus> {
        self.status.clone()
    }

    fn counters(&self) -> WatchCounters {
        WatchCounters::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_send_and_sync() {
        fn crosses<T: Send + Sync>() {}
        crosses::<WatchStream>();
        crosses::<EventStream>();
    }
}
