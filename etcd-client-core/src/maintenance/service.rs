//! The maintenance service: alarms, status, checksums, defragmentation, leadership and downgrades.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    maintenance::{
        AlarmDisarm, AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmResponse, AlarmList,
        AlarmListResponse, Defragment, DefragmentResponse, Downgrade, DowngradeResponse, Hash, HashKv,
        HashKvResponse, HashResponse, MoveLeader, MoveLeaderResponse, Status, StatusResponse,
    },
    request::CallOptions,
};

/// The operations that maintain a cluster. An operation with an endpoint goes only to the member at that endpoint.
#[async_trait]
pub trait MaintenanceService: Send + Sync + Debug {
    /// Lists all alarms.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn alarm_list(&self, op: AlarmList, options: CallOptions) -> Result<AlarmListResponse, Error>;

    /// Disarms one alarm.
    ///
    /// # Errors
    /// The outcome of the error shows whether the alarm may have been disarmed.
    async fn alarm_disarm(&self, op: AlarmDisarm, options: CallOptions)
    -> Result<AlarmDisarmResponse, Error>;

    /// Disarms every alarm.
    ///
    /// # Errors
    /// Returns an error if the alarms could not be listed; nothing has been disarmed then. The response contains the
    /// result for each alarm.
    async fn alarm_disarm_all(
        &self,
        op: AlarmDisarmAll,
        options: CallOptions,
    ) -> Result<AlarmDisarmAllResponse, Error>;

    /// Returns the status of one member.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn status(&self, op: Status, options: CallOptions) -> Result<StatusResponse, Error>;

    /// Rewrites the database file of one member.
    ///
    /// # Errors
    /// The outcome of the error shows whether the member may be running the defragmentation.
    async fn defragment(&self, op: Defragment, options: CallOptions) -> Result<DefragmentResponse, Error>;

    /// Returns a checksum of the database of one member.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn hash(&self, op: Hash, options: CallOptions) -> Result<HashResponse, Error>;

    /// Returns a checksum of the keys and values of one member.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn hash_kv(&self, op: HashKv, options: CallOptions) -> Result<HashKvResponse, Error>;

    /// Transfers the leadership to another member.
    ///
    /// # Errors
    /// The outcome of the error shows whether the leader may have changed.
    async fn move_leader(&self, op: MoveLeader, options: CallOptions) -> Result<MoveLeaderResponse, Error>;

    /// Validates, starts or cancels a downgrade.
    ///
    /// # Errors
    /// The outcome of the error shows whether a downgrade may have been started or cancelled.
    async fn downgrade(&self, op: Downgrade, options: CallOptions) -> Result<DowngradeResponse, Error>;
}
