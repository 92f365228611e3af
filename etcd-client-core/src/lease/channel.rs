//! The two ends of a kept lease: the one that a service reports to, and the handle of the user.

use std::{sync::Arc, time::Duration};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::sync::watch;

use crate::{
    lease::{Clock, LeaseControl, LeaseKeeper, LeaseLostReason, LeaseRevokeResponse, kept::Shared},
    types::{LeaseId, ResponseHeader},
};

/// The reporting end of a [`LeaseKeeper`], for mocks and for services of your own.
///
/// If it is dropped, the lease is lost with [`LeaseLostReason::Closed`], as when a client is closed.
#[derive(Debug)]
pub struct LeaseKeeperSender {
    shared: Arc<Shared>,
    clock: Clock,
    stopped: watch::Receiver<bool>,
}

impl LeaseKeeperSender {
    /// Reports that the lease was renewed just now, with the TTL `ttl`. Returns `false` if it was already lost.
    pub fn renewed(&self, ttl: Duration) -> bool {
        self.shared.renewed(ttl, self.clock.now().saturating_add(ttl))
    }

    /// Reports that a renewal is late.
    pub fn late(&self, error: Option<Error>) {
        self.shared.late(error);
    }

    /// Reports that the lease is lost.
    pub fn lose(self, reason: LeaseLostReason, error: Option<Error>) {
        self.shared.lose(reason, error);
    }

    /// Waits until the lease is revoked or the last of its handles is dropped.
    ///
    /// # Cancel safety
    /// This method is cancel safe.
    pub async fn stopped(&mut self) {
        // An error means that no handle is left, which also ends the wait.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }
}

impl Drop for LeaseKeeperSender {
    fn drop(&mut self) {
        self.shared.lose(LeaseLostReason::Closed, None);
    }
}

impl LeaseKeeper {
    /// Creates a handle of a lease whose TTL `ttl` starts now, and the sender that reports renewals and losses to the handle.
    ///
    /// [`revoke`](Self::revoke) on the handle succeeds immediately, because there is no server.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::time::Duration;
    ///
    /// use etcd_client_core::LeaseId;
    /// use etcd_client_core::lease::{LeaseKeeper, LeaseLostReason};
    ///
    /// let (sender, lease) = LeaseKeeper::channel(LeaseId::new(7).unwrap(), Duration::from_secs(10));
    /// assert!(!lease.is_lost());
    ///
    /// sender.lose(LeaseLostReason::NotFound, None);
    /// assert_eq!(lease.lost().await.reason(), LeaseLostReason::NotFound);
    /// # }
    /// ```
    pub fn channel(id: LeaseId, ttl: Duration) -> (LeaseKeeperSender, Self) {
        let clock = Clock::start();
        let shared = Shared::new(id, clock, ttl, clock.now().saturating_add(ttl));
        let (stop, stopped) = watch::channel(false);
        let kept = Self::new(Arc::clone(&shared), Arc::new(Mocked { stop }));
        (LeaseKeeperSender { shared, clock, stopped }, kept)
    }
}

#[derive(Debug)]
struct Mocked {
    stop: watch::Sender<bool>,
}

impl LeaseControl for Mocked {
    fn revoke(&self) -> BoxFuture<'static, Result<LeaseRevokeResponse, Error>> {
        Box::pin(std::future::ready(Ok(LeaseRevokeResponse::new(ResponseHeader::default()))))
    }

    fn stop(&self) {
        self.stop.send_replace(true);
    }
}
