//! The operations on leases, bound to a client.

use std::time::Duration;

use crate::{
    model::LeaseId,
    op::{
        LeaseBound, LeaseGrant, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseList, LeaseRevoke, LeaseTimeToLive,
    },
    service::Lease,
};

/// What [`Client::lease`](crate::Client::lease) gives: one method for each operation on leases.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
///
/// let lease = client.lease().grant(Duration::from_secs(10)).await?;
/// client.put("alive", "yes").lease(lease.id).await?;
/// client.lease().revoke(lease.id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Leases<'a> {
    service: &'a dyn Lease,
}

impl<'a> Leases<'a> {
    /// The operations on any lease service.
    pub fn new(service: &'a dyn Lease) -> Self {
        Self { service }
    }

    /// Makes a lease that expires after `ttl` without a renewal. The server may raise the time: use the one it answers.
    pub fn grant(self, ttl: Duration) -> LeaseGrant<LeaseBound<'a>> {
        LeaseGrant::new(ttl).bind(self.service)
    }

    /// Ends a lease and deletes the keys attached to it.
    ///
    /// Every [`KeptLease`](crate::KeptLease) of it that this client or a clone holds is lost at once, with
    /// [`NotFound`](crate::LeaseLostReason::NotFound), unless the revocation was certainly not applied. Dropping the future in flight
    /// loses them as well, as the outcome is then unknown. Handles of other clients are lost with their next renewal.
    pub fn revoke(self, id: LeaseId) -> LeaseRevoke<LeaseBound<'a>> {
        LeaseRevoke::new(id).bind(self.service)
    }

    /// Asks how long a lease still lives, and with [`keys`](LeaseTimeToLive::keys) what is attached to it.
    pub fn time_to_live(self, id: LeaseId) -> LeaseTimeToLive<LeaseBound<'a>> {
        LeaseTimeToLive::new(id).bind(self.service)
    }

    /// Keeps a lease alive for as long as the handle is held. [`grant`](Self::grant) has a
    /// [`keep_alive`](LeaseGrant::keep_alive) of its own, which does both.
    ///
    /// # Errors
    ///
    /// `Code::LeaseNotFound` where there is no such lease; those of a call whose deadline passes before the first renewal.
    pub fn keep_alive(self, id: LeaseId) -> LeaseKeepAlive<LeaseBound<'a>> {
        LeaseKeepAlive::new(id).bind(self.service)
    }

    /// Renews a lease once.
    ///
    /// # Errors
    ///
    /// `Code::LeaseNotFound` where there is no such lease.
    pub fn keep_alive_once(self, id: LeaseId) -> LeaseKeepAliveOnce<LeaseBound<'a>> {
        LeaseKeepAliveOnce::new(id).bind(self.service)
    }

    /// Lists every lease.
    pub fn list(self) -> LeaseList<LeaseBound<'a>> {
        LeaseList::new().bind(self.service)
    }
}
