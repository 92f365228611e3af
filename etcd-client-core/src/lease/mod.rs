//! Leases: keys that etcd deletes when their owner stops renewing.
//!
//! [`Client::lease`](crate::Client::lease) returns the [`LeaseClient`]. A granted lease expires after its TTL unless it is
//! renewed. [`LeaseGrant::keep_alive`] renews it in the background for as long as the returned [`LeaseKeeper`] is held, and
//! [`LeaseKeeper::lost`] reports when the lease may have expired.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//!
//! let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
//! client.put("workers/7", "10.0.0.7").lease(lease.id()).await?;
//! let lost = lease.lost().await;
//! eprintln!("the key is gone or will be soon: {lost}");
//! # Ok(())
//! # }
//! ```

pub(crate) mod channel;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod codec;
pub(crate) mod kept;
pub(crate) mod lost;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod schedule;
pub(crate) mod service;

pub use channel::LeaseKeeperSender;
pub use client::LeaseClient;
pub(crate) use clock::{Clock, Moment};
pub use kept::LeaseKeeper;
pub(crate) use kept::{LeaseControl, WeakLeaseKeeper};
pub use lost::{LeaseLost, LeaseLostReason, LeaseState};
pub(crate) use request::MAX_TTL_SECONDS;
pub use request::{
    LeaseGrant, LeaseGrantResponse, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse,
    LeaseTimeToLive, LeaseTimeToLiveResponse,
    keep_alive::{GrantKeptAlive, LeaseGranted, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse},
};
pub use service::LeaseService;
