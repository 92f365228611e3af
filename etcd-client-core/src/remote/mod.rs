//! The services of a real cluster: each operation checked, encoded, called and decoded.

mod auth;
mod cluster;
mod election;
mod kv;
mod lease;
mod lock;
mod maintenance;
mod membership;
mod move_leader;
mod one_member;
mod range_stream;
mod remaining;
mod snapshot;
mod watch;

pub(crate) use auth::RemoteAuth;
pub(crate) use cluster::RemoteCluster;
pub(crate) use election::RemoteElection;
pub(crate) use kv::RemoteKv;
pub(crate) use lease::RemoteLease;
pub(crate) use lock::RemoteLock;
pub(crate) use maintenance::RemoteMaintenance;
pub(crate) use membership::{MemberList, reported_version};
pub(crate) use snapshot::{SnapshotCall, open_snapshot};
pub(crate) use watch::RemoteWatch;

use std::{any::Any, sync::Arc};

use etcd_errors::Error;

use crate::transport::method::Method;

/// What a handle holds besides connections, so that its client lives as long as the handle: the upkeep of the endpoints.
pub(crate) type ClientPart = Arc<dyn Any + Send + Sync>;

/// Has a refusal before the call say what was being done, as those of the call itself do.
fn named<T>(method: Method, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(method.operation()))
}
