//! Implementations of the services for a real cluster. Each operation is validated, encoded, called and decoded.

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

/// A part of the client, besides its connections, that lives as long as a handle: the background task that maintains
/// the endpoints.
pub(crate) type ClientPart = Arc<dyn Any + Send + Sync>;

/// Adds the operation to an error that occurred before the call. Errors of the call itself already have it.
fn named<T>(method: Method, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(method.operation()))
}
