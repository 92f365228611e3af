//! The service that keeps a cluster in order: alarms, status, checksums, defragmentation, leadership, downgrades.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use super::CallOptions;
use crate::op::{
    AlarmDisarm, AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmResponse, AlarmList, AlarmListResponse,
    Defragment, DefragmentResponse, Downgrade, DowngradeResponse, HashBackend, HashBackendResponse, HashKv,
    HashKvResponse, MoveLeader, MoveLeaderResponse, Status, StatusResponse,
};

/// The operations that keep a cluster in order. Those with an endpoint go to the member that it names and to no other.
#[async_trait]
pub trait Maintenance: Send + Sync + Debug {
    /// Lists all alarms.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn alarm_list(&self, op: AlarmList, options: CallOptions) -> Result<AlarmListResponse, Error>;

    /// Ends one alarm.
    ///
    /// # Errors
    /// The outcome of the error says whether the alarm may have ended.
    async fn alarm_disarm(&self, op: AlarmDisarm, options: CallOptions)
    -> Result<AlarmDisarmResponse, Error>;

    /// Ends every alarm.
    ///
    /// # Errors
    /// When the alarms could not be listed: nothing has happened. What befell each alarm is in the answer.
    async fn alarm_disarm_all(
        &self,
        op: AlarmDisarmAll,
        options: CallOptions,
    ) -> Result<AlarmDisarmAllResponse, Error>;

    /// Asks one member how it is doing.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn status(&self, op: Status, options: CallOptions) -> Result<StatusResponse, Error>;

    /// Rewrites the database file of one member.
    ///
    /// # Errors
    /// The outcome of the error says whether the member may be at it.
    async fn defragment(&self, op: Defragment, options: CallOptions) -> Result<DefragmentResponse, Error>;

    /// Asks one member for a checksum of its database.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn hash(&self, op: HashBackend, options: CallOptions) -> Result<HashBackendResponse, Error>;

    /// Asks one member for a checksum of its keys and values.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn hash_kv(&self, op: HashKv, options: CallOptions) -> Result<HashKvResponse, Error>;

    /// Makes another member the leader.
    ///
    /// # Errors
    /// The outcome of the error says whether the leader may have changed.
    async fn move_leader(&self, op: MoveLeader, options: CallOptions) -> Result<MoveLeaderResponse, Error>;

    /// Asks for, starts or gives up a downgrade.
    ///
    /// # Errors
    /// The outcome of the error says whether a downgrade may have been started or given up.
    async fn downgrade(&self, op: Downgrade, options: CallOptions) -> Result<DowngradeResponse, Error>;
}
