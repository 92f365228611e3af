//! Leases: grant, revoke, keep alive.

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
pub(crate) mod status;

pub use channel::LeaseKeeperSender;
pub use client::LeaseClient;
pub(crate) use clock::{Clock, Moment};
pub use kept::LeaseKeeper;
pub(crate) use kept::{LeaseControl, WeakLeaseKeeper};
pub use lost::{LeaseLost, LeaseLostReason};
pub(crate) use request::grant::MAX_TTL_SECONDS;
pub use request::{
    grant::{LeaseGrant, LeaseGrantResponse},
    grant_kept::GrantKeptAlive,
    keep_alive::{LeaseGranted, LeaseKeepAlive},
    keep_alive_once::{LeaseKeepAliveOnce, LeaseKeepAliveResponse},
    list::{LeaseList, LeaseListResponse},
    revoke::{LeaseRevoke, LeaseRevokeResponse},
    time_to_live::{LeaseTimeToLive, LeaseTimeToLiveResponse},
};
pub use service::LeaseService;
pub use status::LeaseState;
