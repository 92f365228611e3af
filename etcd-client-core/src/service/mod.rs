//! The services: object-safe traits whose methods take an operation together with the options of the call. The client
//! implements them, decorators wrap them, and mocks replace them.

mod auth;
mod call_options;
mod cluster;
mod election;
mod execute;
mod forward;
mod kv;
mod lease;
mod lock;
mod maintenance;
mod range_stream;
mod snapshot;
mod watch;

pub use auth::Auth;
pub use call_options::{CallOptions, Resend, Timeout};
pub use cluster::Cluster;
pub use election::{ElectionService, LeaderStream};
pub use execute::execute;
pub(crate) use forward::{for_each_service, forward_to};
pub use kv::Kv;
pub(crate) use lease::{Clock, LeaseControl, Moment, Shared as SharedLease, WeakKeptLease};
pub use lease::{KeptLease, KeptLeaseSender, Lease, LeaseLost, LeaseLostReason, LeaseState};
pub use lock::LockService;
pub use maintenance::Maintenance;
pub use range_stream::{RangeChunk, RangeStream};
pub(crate) use snapshot::OnProgress;
pub use snapshot::{SnapshotDigest, SnapshotProgress, SnapshotStream, SnapshotSummary};
pub(crate) use watch::WatchControl;
pub use watch::{
    Watch, WatchCounters, WatchEvents, WatchHandle, WatchResponse, WatchResponseKind, WatchSender,
    WatchStatus,
};
