//! The status of a cache.
use etcd_errors::Error;

use crate::types::Revision;

/// The status of a [`Cache`](crate::cache::Cache).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CacheStatus {
    /// The range has not been listed yet.
    Starting {
        /// The error of the last attempt.
        error: Option<Error>,
    },
    /// The cache follows the store. Its watch may be resuming after the loss of a member.
    Live,
    /// The cache keeps its pairs and is about to watch or re-list the range. If the error is
    /// [`WrongCluster`](etcd_errors::ErrorKind::WrongCluster) or [`RevisionRegressed`](etcd_errors::ErrorKind::RevisionRegressed),
    /// the pairs belong to a history that is lost.
    Resuming {
        /// The error of the watch or the list.
        error: Error,
    },
    /// The cache has ended because its service failed permanently.
    Ended {
        /// The permanent error.
        error: Error,
    },
}

/// Counters of a [`Cache`](crate::cache::Cache).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheCounters {
    /// The number of times the range was listed. It is re-listed if events were compacted before the cache had seen them, or if
    /// another cluster or history was accepted.
    pub listed: u64,
    /// The number of linearizable reads sent to the server because the cache could not confirm in time that it was up to date.
    pub read_through: u64,
}

/// The state that waiting calls observe.
#[derive(Clone, Debug)]
pub(crate) struct CacheState {
    pub(crate) status: CacheStatus,
    /// The revision of the copy; zero before the first list.
    pub(crate) revision: Revision,
    /// The history of the copy.
    pub(crate) history: u64,
    /// Whether the last progress request failed.
    pub(crate) progress_out: bool,
}

impl CacheState {
    pub(crate) fn starting() -> Self {
        let status = CacheStatus::Starting { error: None };
        Self { status, revision: Revision::ZERO, history: 0, progress_out: false }
    }

    pub(crate) fn end(&self) -> Option<&Error> {
        if let CacheStatus::Ended { error } = &self.status { Some(error) } else { None }
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.status, CacheStatus::Live | CacheStatus::Resuming { .. })
    }
}
