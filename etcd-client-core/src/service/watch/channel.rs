//! The two ends of a watch: what a service sends into, and what its user reads from.

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::{WatchCounters, WatchHandle, WatchResponse, WatchStatus};
use crate::model::Revision;

/// What a handle asks of the service that made it.
pub(crate) trait WatchControl: Send + Sync + std::fmt::Debug {
    /// A revision up to which everything was delivered into the handle.
    fn progress(&self) -> BoxFuture<'static, Result<Revision, Error>>;
    fn status(&self) -> watch::Receiver<WatchStatus>;
    fn counters(&self) -> WatchCounters;
}

/// The sending end of a [`WatchHandle`], for mocks and for services of your own.
///
/// Dropping it ends the watch as if it had been cancelled.
#[derive(Debug)]
pub struct WatchSender {
    pub(super) responses: mpsc::Sender<Result<WatchResponse, Error>>,
    pub(super) status: watch::Sender<WatchStatus>,
}

impl WatchSender {
    /// Waits for room, and sends a response; `false` when the handle is gone.
    ///
    /// Cancel safe: a response that was not sent is dropped.
    pub async fn send(&self, response: WatchResponse) -> bool {
        self.responses.send(Ok(response)).await.is_ok()
    }

    /// Ends the watch with an error.
    pub async fn fail(self, error: Error) {
        let _ = self.status.send(WatchStatus::Ended { error: Some(error.clone()) });
        let _ = self.responses.send(Err(error)).await;
    }

    /// Says how the watch stands.
    pub fn set_status(&self, status: WatchStatus) {
        let _ = self.status.send(status);
    }

    /// Waits until the handle is dropped or cancelled.
    ///
    /// Cancel safe.
    pub async fn closed(&self) {
        self.responses.closed().await;
    }
}

impl WatchHandle {
    /// A handle, and what its responses are sent into; at most `capacity` of them wait.
    ///
    /// # Panics
    /// When `capacity` is zero.
    pub fn channel(capacity: usize) -> (WatchSender, Self) {
        let (responses, received) = mpsc::channel(capacity);
        let now = WatchStatus::Connected { endpoint: None, since: tokio::time::Instant::now() };
        let (status, seen) = watch::channel(now);
        (WatchSender { responses, status }, Self::from_channel(received, seen))
    }
}
