//! How a lease that is kept alive stands.

use etcd_errors::Error;
use tokio::time::Instant;

use super::LeaseLost;

/// How a lease that is kept alive stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LeaseState {
    /// Its renewals are answered.
    Alive,
    /// A renewal is late; others are under way. The lease lives until its deadline.
    Late {
        /// Since when.
        since: Instant,
        /// What the last renewal failed with; `None` where it was only slow.
        error: Option<Error>,
    },
    /// It is lost for good.
    Lost(LeaseLost),
}
