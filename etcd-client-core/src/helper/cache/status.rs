//! How a cache stands.

use etcd_errors::Error;

use crate::model::Revision;

/// How a [`Cache`](super::Cache) stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CacheStatus {
    /// It has not listed its range yet.
    Starting {
        /// Why the last attempt failed.
        error: Option<Error>,
    },
    /// It follows the store. The watch under it may be resuming, which it does by itself.
    Live,
    /// It has what it had, and is about to watch or list again. With [`WrongCluster`](etcd_errors::ErrorKind::WrongCluster) or
    /// [`RevisionRegressed`](etcd_errors::ErrorKind::RevisionRegressed) what it has is of a history that is gone.
    Resuming {
        /// Why.
        error: Error,
    },
    /// It is of no use any more, and so is the service that it was made of.
    Ended {
        /// Why.
        error: Error,
    },
}

/// What happened to a cache so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheCounters {
    /// How many times the range was listed: more than once where history was compacted before it was seen, or another
    /// cluster or history was accepted.
    pub listed: u64,
    /// Linearizable reads that were sent to the server because the cache could not tell in time that it was up to date.
    pub read_through: u64,
}

/// What those who wait look at.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) status: CacheStatus,
    /// Up to where the copy is known; zero before it was listed.
    pub(super) revision: Revision,
    /// Which history the copy is of.
    pub(super) history: u64,
    /// Whether the last question for progress failed.
    pub(super) progress_out: bool,
}

impl Standing {
    pub(super) fn starting() -> Self {
        let status = CacheStatus::Starting { error: None };
        Self { status, revision: Revision::ZERO, history: 0, progress_out: false }
    }

    pub(super) fn end(&self) -> Option<&Error> {
        if let CacheStatus::Ended { error } = &self.status { Some(error) } else { None }
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.status, CacheStatus::Live | CacheStatus::Resuming { .. })
    }
}
