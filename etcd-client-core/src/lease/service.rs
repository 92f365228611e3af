//! The lease service, and the handle of a lease that is kept alive.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

pub(crate) use crate::lease::LeaseKeeper;
use crate::{
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseTimeToLive,
        LeaseTimeToLiveResponse,
    },
    request::CallOptions,
};

/// The operations on leases.
#[async_trait]
pub trait LeaseService: Send + Sync + Debug {
    /// Grants a lease.
    ///
    /// # Errors
    /// The outcome of the error shows whether the lease may exist.
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error>;

    /// Revokes a lease and deletes its keys.
    ///
    /// # Errors
    /// The outcome of the error shows whether the lease may have been revoked.
    async fn revoke(&self, op: LeaseRevoke, options: CallOptions) -> Result<LeaseRevokeResponse, Error>;

    /// Returns the remaining TTL of a lease.
    ///
    /// # Errors
    /// An unknown lease is not an error. A failed call has no effect.
    async fn time_to_live(
        &self,
        op: LeaseTimeToLive,
        options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error>;

    /// Lists all leases.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn list(&self, op: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error>;

    /// Renews a lease once.
    ///
    /// # Errors
    /// Fails with `Code::LeaseNotFound` if the lease does not exist. The outcome of another error shows whether the
    /// lease may have been renewed.
    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error>;

    /// Keeps a lease alive while a clone of the handle exists. A mock can use [`LeaseKeeper::channel`].
    ///
    /// The options apply to the first renewal, if there is one. Later renewals have no deadline except that of the
    /// lease.
    ///
    /// # Errors
    /// Returns the error of the first renewal: `Code::LeaseNotFound` if the lease does not exist.
    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<LeaseKeeper, Error>;
}
