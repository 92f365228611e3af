//! The service of leases: the calls with one answer. Keeping a lease alive is a stream and stands elsewhere.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use super::CallOptions;
use crate::op::{
    LeaseGrant, LeaseGrantResponse, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse,
    LeaseTimeToLive, LeaseTimeToLiveResponse,
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
}
