//! The builder of a cache.

use std::{sync::Arc, time::Duration};

use etcd_errors::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    cache::{
        Cache,
        follower::Follower,
        shared::Shared,
        source::{Services, Source},
    },
    client::Client,
    kv::KvService,
    transport::check_runtime,
    types::KeyRange,
    watch::WatchService,
};

/// The default number of revisions to keep, as in the Go cache: `HistoryWindowSize` in cache/config.go.
const HISTORY: usize = 2048;

/// The default number of changes that a subscriber may lag behind. It is half of the history, so that a subscriber can usually still
/// read the states in between.
const CHANGES: usize = 1024;

/// The default time that a linearizable read waits for the cache. A server answers a progress request within a round trip. If a watch
/// of the stream is unsynced, it answers at its next interval of 100 ms (`syncWatchersLoop` in
/// server/storage/mvcc/watchable_store.go).
const READ_THROUGH_AFTER: Duration = Duration::from_millis(250);

/// The upper bound for the change buffer, which is allocated in full.
const MAX_CHANGES: usize = 1 << 20;

/// A builder for a [`Cache`], returned by [`Cache::builder`].
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
/// use etcd_client_core::Cache;
/// use etcd_client_core::types::KeyRange;
///
/// let cache = Cache::builder(&client, KeyRange::prefix("config/"))
///     .history(100)
///     .read_through_after(Duration::from_millis(100))
///     .start()?;
/// # drop(cache);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct CacheBuilder {
    source: Arc<dyn Source>,
    range: KeyRange,
    history: usize,
    changes: usize,
    read_through_after: Duration,
}

impl CacheBuilder {
    pub(crate) fn of_client(client: &Client, range: KeyRange) -> Self {
        Self::new(Arc::new(client.clone()), range)
    }

    pub(crate) fn of_services(kv: Arc<dyn KvService>, watch: Arc<dyn WatchService>, range: KeyRange) -> Self {
        Self::new(Arc::new(Services { kv, watch }), range)
    }

    fn new(source: Arc<dyn Source>, range: KeyRange) -> Self {
        Self { source, range, history: HISTORY, changes: CHANGES, read_through_after: READ_THROUGH_AFTER }
    }

    /// Sets how many revisions with a change in the range are kept, including the current one. Default: 2048.
    ///
    /// Each costs the memory of its changes and about 1 KiB.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Cache;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let cache = Cache::builder(&client, KeyRange::prefix("config/")).history(100).start()?;
    /// # drop(cache);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "HistoryWindowSize")]
    pub fn history(mut self, revisions: usize) -> Self {
        self.history = revisions;
        self
    }

    /// Sets how many changes a subscriber may lag behind. A subscriber that lags further receives their sum as one change. Default: 1024.
    /// The value is clamped to the range from 1 to 1,048,576.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Cache;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let cache = Cache::builder(&client, KeyRange::prefix("config/")).change_buffer(64).start()?;
    /// # drop(cache);
    /// # Ok(())
    /// # }
    /// ```
    pub fn change_buffer(mut self, changes: usize) -> Self {
        self.changes = changes;
        self
    }

    /// Sets how long a linearizable read waits for the cache before it is sent to the server. Default: 250 ms.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::Cache;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let range = KeyRange::prefix("config/");
    /// let cache = Cache::builder(&client, range).read_through_after(Duration::from_millis(100)).start()?;
    /// # drop(cache);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_through_after(mut self, read_through_after: Duration) -> Self {
        self.read_through_after = read_through_after;
        self
    }

    /// Starts to list the range in the background and returns immediately. Use [`Cache::ready`] to wait for the list.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a range that is contradictory or empty.
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Cache;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let cache = Cache::builder(&client, KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(self) -> Result<Cache, Error> {
        let named = |error: Error| error.with_operation("cache");
        self.range.check().map_err(|invalid| named(invalid.into()))?;
        check_runtime().map_err(named)?;
        let changes = self.changes.clamp(1, MAX_CHANGES);
        let shared = Arc::new(Shared::new(&self.range, self.history, changes));
        let dropped = CancellationToken::new();
        let follower = Follower::new(Arc::clone(&self.source), Arc::clone(&shared));
        tokio::spawn(follower.run(dropped.clone()));
        Ok(Cache::new(self.source, shared, self.read_through_after, dropped.drop_guard()))
    }
}
