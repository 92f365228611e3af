//! PLACEHOLDER until the lease branch: a kept lease as the client gives it.

use std::{sync::Arc, time::Duration};
use etcd_client_core::{Error, LeaseId};
use tokio::{sync::watch, time::Instant};

/// A lease that is kept alive.
#[derive(Clone, Debug)]
pub struct KeptLease {
    id: LeaseId,
    ttl: Duration,
    deadline: watch::Receiver<Option<Instant>>,
    revoke: Arc<dyn Revoke>,
}

/// Revokes.
#[doc(hidden)]
pub trait Revoke: Send + Sync + std::fmt::Debug {
    /// Revokes.
    fn revoke(&self, id: LeaseId) -> futures_core::future::BoxFuture<'static, Result<(), Error>>;
}

/// Lost.
#[derive(Clone, Debug)]
pub struct LeaseLost;

impl KeptLease {
    /// mock
    pub fn mock(id: LeaseId, ttl: Duration, deadline: watch::Receiver<Option<Instant>>, revoke: Arc<dyn Revoke>) -> Self {
        Self { id, ttl, deadline, revoke }
    }
    /// id
    pub fn id(&self) -> LeaseId {
        self.id
    }
    /// ttl
    pub fn ttl(&self) -> Duration {
        self.ttl
    }
    /// deadline
    pub fn deadline(&self) -> Instant {
        self.deadline.borrow().unwrap_or_else(Instant::now)
    }
    /// is lost
    pub fn is_lost(&self) -> bool {
        self.deadline() <= Instant::now()
    }
    /// lost
    pub fn lost(&self) -> impl Future<Output = LeaseLost> + Send + 'static + use<> {
        let mut deadline = self.deadline.clone();
        async move {
            loop {
                let until = *deadline.borrow_and_update();
                let Some(until) = until else { return LeaseLost };
                tokio::select! {
                    () = tokio::time::sleep_until(until) => return LeaseLost,
                    changed = deadline.changed() => if changed.is_err() {
                        tokio::time::sleep_until(until).await;
                        return LeaseLost;
                    }
                }
            }
        }
    }
    /// revoke
    pub async fn revoke(self) -> Result<(), Error> {
        self.revoke.revoke(self.id).await
    }
}
