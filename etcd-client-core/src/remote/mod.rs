//! The services of a real cluster: each operation checked, encoded, called and decoded.

mod kv;
mod lease;
mod membership;
mod range_stream;
mod snapshot;

pub(crate) use kv::RemoteKv;
pub(crate) use lease::RemoteLease;
pub(crate) use membership::{MemberList, reported_version};
pub(crate) use snapshot::{SnapshotCall, open_snapshot};

use etcd_errors::Error;

use crate::transport::method::Method;

/// Has a refusal before the call say what was being done, as those of the call itself do.
fn named<T>(method: Method, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(method.operation()))
}
