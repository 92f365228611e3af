//! The state of a lease that is kept alive.

use etcd_errors::Error;
use tokio::time::Instant;

use crate::lease::LeaseLost;

/// The state of a lease that is kept alive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LeaseState {
    /// Its renewals succeed.
    Alive,
    /// A renewal is late, and others are in progress. The lease lives until its deadline.
    Late {
        /// The time since when it is late.
        since: Instant,
        /// The error of the last renewal; `None` if it was only slow.
        error: Option<Error>,
    },
    /// The lease is lost, which is final.
    Lost(LeaseLost),
}
