//! The service of leases, and the handle of one that is kept alive.

mod channel;
mod clock;
mod kept;
mod lost;
mod state;

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

pub use channel::KeptLeaseSender;
pub(crate) use clock::{Clock, Moment};
pub use kept::KeptLease;
pub(crate) use kept::{LeaseControl, Shared, WeakKeptLease};
pub use lost::{LeaseLost, LeaseLostReason};
pub use state::LeaseState;

use super::CallOptions;
use crate::op::{
    LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse, LeaseList,
    LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseTimeToLive, LeaseTimeToLiveResponse,
};

/// The operations on leases.
#[async_trait]
pub trait Lease: Send + Sync + Debug {
    /// Grants a lease.
    ///
    /// # Errors
    /// The outcome of the error says whether the lease may exist.
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error>;

    /// Ends a lease and deletes its keys.
    ///
    /// # Errors
    /// The outcome of the error says whether the lease may have ended.
    async fn revoke(&self, op: LeaseRevoke, options: CallOptions) -> Result<LeaseRevokeResponse, Error>;

    /// Asks how long a lease still lives.
    ///
    /// # Errors
    /// An unknown lease is no error.
    async fn time_to_live(
        &self,
        op: LeaseTimeToLive,
        options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error>;

    /// Lists all leases.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn list(&self, op: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error>;

    /// Renews a lease once.
    ///
    /// # Errors
    /// The outcome of the error says whether the lease may have been renewed. `Code::LeaseNotFound` where there is no such lease.
    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error>;

    /// Keeps a lease alive for as long as a clone of the handle is held. A mock answers by [`KeptLease::channel`].
    ///
    /// The options are those of the first renewal, where there is one; later ones have no deadline but the lease's.
    ///
    /// # Errors
    /// When the first renewal fails: `Code::LeaseNotFound` where there is no such lease.
    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<KeptLease, Error>;
}
