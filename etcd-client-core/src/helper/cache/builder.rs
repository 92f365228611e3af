//! The settings of a cache.

use std::{sync::Arc, time::Duration};

use etcd_errors::Error;
use tokio_util::sync::CancellationToken;

use super::{Cache, follower::Follower, shared::Shared};
use crate::{
    client::Client,
    helper::source::{Services, Source},
    op::KeyRange,
    service::{Kv, Watch},
    transport::channel::check_runtime,
};

/// As in the Go cache: `HistoryWindowSize` in cache/config.go.
const HISTORY: usize = 2048;

/// Changes that a reader may be behind; half of the history, so that what they lead through can as a rule still be read.
const CHANGES: usize = 1024;

/// A server answers a question for progress within a round trip, or at its next turn of 100 ms when a watch of the stream was not
/// in step (`syncWatchersLoop` in server/storage/mvcc/watchable_store.go).
const PATIENCE: Duration = Duration::from_millis(250);

/// No ring of changes is longer, whatever is asked for.
const MAX_CHANGES: usize = 1 << 20;

/// Collects the settings of a [`Cache`]; [`start`](Self::start) makes it.
#[derive(Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct CacheBuilder {
    source: Arc<dyn Source>,
    range: KeyRange,
    history: usize,
    changes: usize,
    patience: Duration,
}

impl CacheBuilder {
    pub(super) fn of_client(client: &Client, range: KeyRange) -> Self {
        Self::new(Arc::new(client.clone()), range)
    }

    pub(super) fn of_services(kv: Arc<dyn Kv>, watch: Arc<dyn Watch>, range: KeyRange) -> Self {
        Self::new(Arc::new(Services { kv, watch }), range)
    }

    fn new(source: Arc<dyn Source>, range: KeyRange) -> Self {
        Self { source, range, history: HISTORY, changes: CHANGES, patience: PATIENCE }
    }

    /// How many revisions that changed something can be read back, the present one included. Default: 2048. Each costs what it
    /// changed and about 1 KiB.
    pub fn history(mut self, revisions: usize) -> Self {
        self.history = revisions;
        self
    }

    /// How many changes a subscriber may be behind before it is given their sum. Default: 1024, at least 1, at most 1,048,576.
    pub fn change_buffer(mut self, changes: usize) -> Self {
        self.changes = changes;
        self
    }

    /// How long a linearizable read waits for the cache before it is sent to the server instead. Default: 250 ms.
    pub fn read_through_after(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts to list the range in the background, and returns at once: [`Cache::ready`] waits for it.
    ///
    /// # Errors
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a range that contradicts itself or has no key,
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a tokio runtime.
    pub fn start(self) -> Result<Cache, Error> {
        let named = |error: Error| error.with_operation("cache");
        self.range.check().map_err(|invalid| named(invalid.into()))?;
        check_runtime().map_err(named)?;
        let changes = self.changes.clamp(1, MAX_CHANGES);
        let shared = Arc::new(Shared::new(&self.range, self.history, changes));
        let dropped = CancellationToken::new();
        let follower = Follower::new(Arc::clone(&self.source), Arc::clone(&shared));
        tokio::spawn(follower.run(dropped.clone()));
        Ok(Cache::new(self.source, shared, self.patience, dropped.drop_guard()))
    }
}
