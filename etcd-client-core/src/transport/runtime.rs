//! The check that a Tokio runtime is present.

use etcd_errors::{Error, ErrorKind};
use tokio::runtime::Handle;

/// Returns an error outside a Tokio runtime, where timers and sockets would panic.
pub(crate) fn check_runtime() -> Result<(), Error> {
    Handle::try_current().map(drop).map_err(|_| no_runtime())
}

pub(crate) fn no_runtime() -> Error {
    Error::new(ErrorKind::NoRuntime, "must be called from within a Tokio runtime")
}
