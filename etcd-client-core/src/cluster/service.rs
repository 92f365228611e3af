//! The service for the members of the cluster.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    cluster::{
        MemberAdd, MemberAddResponse, MemberList, MemberListResponse, MemberPromote, MemberPromoteResponse,
        MemberRemove, MemberRemoveResponse, MemberUpdate, MemberUpdateResponse,
    },
    request::CallOptions,
};

/// The operations on the members of a cluster.
#[async_trait]
pub trait ClusterService: Send + Sync + Debug {
    /// Lists the members.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn member_list(&self, op: MemberList, options: CallOptions) -> Result<MemberListResponse, Error>;

    /// Adds a member.
    ///
    /// # Errors
    /// The outcome of the error shows whether the member may have been added.
    async fn member_add(&self, op: MemberAdd, options: CallOptions) -> Result<MemberAddResponse, Error>;

    /// Removes a member.
    ///
    /// # Errors
    /// The outcome of the error shows whether the member may have been removed.
    async fn member_remove(
        &self,
        op: MemberRemove,
        options: CallOptions,
    ) -> Result<MemberRemoveResponse, Error>;

    /// Replaces the peer URLs of a member.
    ///
    /// # Errors
    /// The outcome of the error shows whether the URLs may have been replaced.
    async fn member_update(
        &self,
        op: MemberUpdate,
        options: CallOptions,
    ) -> Result<MemberUpdateResponse, Error>;

    /// Promotes a learner to a voting member.
    ///
    /// # Errors
    /// The outcome of the error shows whether the learner may have been promoted.
    async fn member_promote(
        &self,
        op: MemberPromote,
        options: CallOptions,
    ) -> Result<MemberPromoteResponse, Error>;
}
