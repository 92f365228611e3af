//! The two ends of a watch: the sender of a service, and the handle of the user.

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use crate::{
    types::Revision,
    watch::{WatchCounters, WatchResponse, WatchStatus, WatchStream},
};

/// The requests of a handle to the service that created it.
pub(crate) trait WatchControl: Send + Sync + std::fmt::Debug {
    /// Returns a revision up to which everything was delivered to the handle.
    fn progress(&self) -> BoxFuture<'static, Result<Revision, Error>>;
    fn status(&self) -> watch::Receiver<WatchStatus>;
    fn counters(&self) -> WatchCounters;
}

/// The sending end of a [`WatchStream`], for mocks and for services of your own.
///
/// Dropping it ends the watch as if it was cancelled.
#[derive(Debug)]
pub struct WatchSender {
    pub(crate) responses: mpsc::Sender<Result<WatchResponse, Error>>,
    pub(crate) status: watch::Sender<WatchStatus>,
}

impl WatchSender {
    /// Sends a response, and waits for room if necessary. Returns `false` if the handle was dropped.
    ///
    /// # Cancel safety
    /// A response that was not sent is dropped together with the future.
    pub async fn send(&self, response: WatchResponse) -> bool {
        self.responses.send(Ok(response)).await.is_ok()
    }

    /// Ends the watch with an error.
    pub async fn fail(self, error: Error) {
        // The status changes first, so that a reader of the error finds the watch ended. Both sends fail
        // without effect once the handle is dropped.
        let _ = self.status.send(WatchStatus::Ended { error: Some(error.clone()) });
        let _ = self.responses.send(Err(error)).await;
    }

    /// Sets the status of the watch.
    pub fn set_status(&self, status: WatchStatus) {
        let _ = self.status.send(status);
    }

    /// Waits until the handle is dropped or cancelled.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub async fn closed(&self) {
        self.responses.closed().await;
    }
}

impl WatchStream {
    /// Creates a handle and the sender of its responses. At most `capacity` responses can wait in between.
    ///
    /// # Panics
    /// Panics if `capacity` is zero.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use etcd_client_core::{Event, KeyValue};
    /// use etcd_client_core::types::ResponseHeader;
    /// use etcd_client_core::watch::{WatchStream, WatchResponse};
    ///
    /// let (sender, mut watch) = WatchStream::channel(1);
    /// let event = Event::put(KeyValue::new("k", "v"));
    /// assert!(sender.send(WatchResponse::events(ResponseHeader::default(), vec![event])).await);
    ///
    /// let response = watch.next().await.expect("a response").expect("no error");
    /// assert_eq!(response.events[0].kv.key, "k");
    /// # }
    /// ```
    pub fn channel(capacity: usize) -> (WatchSender, Self) {
        let (responses, received) = mpsc::channel(capacity);
        let now = WatchStatus::Connected { endpoint: None, since: tokio::time::Instant::now() };
        let (status, seen) = watch::channel(now);
        (WatchSender { responses, status }, Self::from_channel(received, seen))
    }
}
