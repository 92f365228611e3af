//! Status, alarms, defragmentation, hashes, downgrades and leader moves.
//!
//! [`Client::maintenance`](crate::Client::maintenance) returns the [`MaintenanceClient`]. Calls that concern a single member
//! take its endpoint.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! let status = client.maintenance().status("http://10.0.0.1:2379").await?;
//! println!("etcd {}, {} of {} bytes in use", status.version, status.db_size_in_use, status.db_size);
//! # Ok(())
//! # }
//! ```

pub(crate) mod alarm;
pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod move_leader;
pub(crate) mod one_member;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;

pub use alarm::{Alarm, AlarmType};
pub use client::MaintenanceClient;
pub use request::{
    alarm_disarm::{AlarmDisarm, AlarmDisarmResponse},
    alarm_disarm_all::{AlarmDisarmAll, AlarmDisarmAllResponse, AlarmFailure},
    alarm_list::{AlarmList, AlarmListResponse},
    defragment::{Defragment, DefragmentResponse},
    downgrade::{Downgrade, DowngradeAction, DowngradeResponse},
    hash::{Hash, HashResponse},
    hash_kv::{HashKv, HashKvResponse},
    move_leader::{MoveLeader, MoveLeaderResponse},
    status::{DbSizeQuota, DowngradeInfo, Status, StatusResponse},
};
pub use service::MaintenanceService;
