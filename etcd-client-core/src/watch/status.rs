//! The status of a watch.

use etcd_errors::Error;
use tokio::time::Instant;

use crate::types::Endpoint;

/// The status of a watch, the time of its last change and the reason for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WatchStatus {
    /// The watch is being created on a member for the first time.
    Creating,
    /// The watch receives events from a member.
    Connected {
        /// The endpoint of the member; `None` for a watch without one, such as the watch of a mock.
        endpoint: Option<Endpoint>,
        /// The time of the change to this status.
        since: Instant,
    },
    /// The watch lost its member and is being re-created on another one.
    Resuming {
        /// The time of the change to this status.
        since: Instant,
        /// The error that ended the previous stream, or the error of the last attempt.
        error: Error,
    },
    /// The watch is cancelled on the server until its reader has caught up.
    Paused {
        /// The time of the change to this status.
        since: Instant,
    },
    /// The watch has ended. Without an error, it was cancelled.
    Ended {
        /// The error that ended the watch.
        error: Option<Error>,
    },
}

/// The counters of a watch since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchCounters {
    /// The number of times the watch was re-created after it lost its stream.
    pub resumed: u64,
    /// The number of times the watch was paused because of a slow reader.
    pub paused: u64,
    /// The number of events that a later event of the same key replaced before they were read.
    pub coalesced: u64,
    /// The number of events dropped because they had been delivered before, or are older than the watch.
    pub repeated: u64,
    /// The number of times the watch resumed from a listing after a compaction.
    pub resynced: u64,
}
