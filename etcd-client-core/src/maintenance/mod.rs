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

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod move_leader;
pub(crate) mod one_member;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;

pub use client::MaintenanceClient;
pub use request::{
    DbSizeQuota, Defragment, DefragmentResponse, Downgrade, DowngradeAction, DowngradeInfo,
    DowngradeResponse, MoveLeader, MoveLeaderResponse, Status, StatusResponse,
    alarm::{
        Alarm, AlarmDisarm, AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmResponse, AlarmFailure,
        AlarmList, AlarmListResponse, AlarmType,
    },
    hash::{Hash, HashKv, HashKvResponse, HashResponse},
};
pub use service::MaintenanceService;
