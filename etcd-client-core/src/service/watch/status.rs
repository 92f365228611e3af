//! How a watch stands.

use etcd_errors::Error;
use tokio::time::Instant;

use crate::model::Endpoint;

/// How a watch stands, since when and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WatchStatus {
    /// A member is asked to create it, for the first time.
    Creating,
    /// A member sends its events.
    Connected {
        /// The member; `None` for a watch that has none, such as a mock's.
        endpoint: Option<Endpoint>,
        /// Since when.
        since: Instant,
    },
    /// It lost its member and is being created on another one.
    Resuming {
        /// Since when.
        since: Instant,
        /// Why it was lost, or why the last attempt failed.
        error: Error,
    },
    /// It was taken off the server until its reader has caught up.
    Parked {
        /// Since when.
        since: Instant,
    },
    /// It has ended: cancelled where there is no error.
    Ended {
        /// Why.
        error: Option<Error>,
    },
}

/// What happened to a watch so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchCounters {
    /// How many times it lost its stream and was created again.
    pub resumed: u64,
    /// How many times it was parked for its slow reader.
    pub parked: u64,
    /// Events that a later one of the same key replaced before they were read.
    pub coalesced: u64,
    /// Events dropped because they had been delivered before, or are older than the watch.
    pub repeated: u64,
    /// How many times it went on from a listing after a compaction.
    pub resynced: u64,
}
