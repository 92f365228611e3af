//! The two ends of a kept lease: what a service tells, and what its user holds.

use std::{sync::Arc, time::Duration};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::sync::watch;

use super::{Clock, KeptLease, LeaseControl, LeaseLostReason, Shared};
use crate::{
    model::{LeaseId, ResponseHeader},
    op::LeaseRevokeResponse,
};

/// What a service of your own tells the holders of a [`KeptLease`], and hears of them.
///
/// Dropping it loses the lease, as closing a client does.
#[derive(Debug)]
pub struct KeptLeaseSender {
    shared: Arc<Shared>,
    clock: Clock,
    stopped: watch::Receiver<bool>,
}

impl KeptLeaseSender {
    /// The lease was renewed now: it lives for `ttl`. `false` where it was lost before.
    pub fn renewed(&self, ttl: Duration) -> bool {
        self.shared.renewed(ttl, self.clock.now().saturating_add(ttl))
    }

    /// A renewal is late.
    pub fn late(&self, error: Option<Error>) {
        self.shared.late(error);
    }

    /// The lease is lost.
    pub fn lose(self, reason: LeaseLostReason, error: Option<Error>) {
        self.shared.lose(reason, error);
    }

    /// Waits until the lease is revoked or the last of its handles is dropped.
    ///
    /// Cancel safe.
    pub async fn stopped(&mut self) {
        // An error means that there is no handle any more either.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }
}

impl Drop for KeptLeaseSender {
    fn drop(&mut self) {
        self.shared.lose(LeaseLostReason::Closed, None);
    }
}

impl KeptLease {
    /// A handle of a lease that lives for `ttl` from now on, and what its user is told by. Revoking it answers at once.
    pub fn channel(id: LeaseId, ttl: Duration) -> (KeptLeaseSender, Self) {
        let clock = Clock::start();
        let shared = Shared::new(id, clock, ttl, clock.now().saturating_add(ttl));
        let (stop, stopped) = watch::channel(false);
        let kept = Self::new(Arc::clone(&shared), Arc::new(Mocked { stop }));
        (KeptLeaseSender { shared, clock, stopped }, kept)
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
