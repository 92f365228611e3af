//! An in-memory copy of a range that follows the store, known as a reflector in Kubernetes.
//!
//! [`Cache::builder`] configures a cache. Reads with [`Cache::get`] are answered from memory; [`Cache::read`] confirms with a
//! member that the copy is current. [`Cache::subscribe`] yields a snapshot and then the changes.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::Cache;
//! use etcd_client_core::types::KeyRange;
//!
//! let cache = Cache::builder(&client, KeyRange::prefix("config/")).start()?;
//! cache.ready().await?;
//! let limit = cache.get("config/limit")?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod progress_requests;
pub(crate) mod range_query;
pub(crate) mod replica;
pub(crate) mod source;

pub(crate) mod builder;
pub(crate) mod change;
pub(crate) mod follower;
pub(crate) mod shared;
pub(crate) mod snapshot;
pub(crate) mod status;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

use crate::{
    cache::{
        range_query::answer,
        shared::Shared,
        snapshot::covered,
        source::{Source, current_revision},
        status::CacheState,
    },
    client::Client,
    kv::{Get, GetResponse, KvService},
    request::{HistoryPin, Limits},
    types::{KeyRange, KeyValue, Revision},
    watch::WatchService,
};

/// An in-memory cache of a key range (a reflector): the range is listed once, then one watch keeps it up to date for any number of
/// readers.
///
/// The cache always represents the store at one revision, never a mixture of two. [`get`](Self::get) and [`snapshot`](Self::snapshot) read
/// from memory without `await`. [`read`](Self::read) is linearizable like a get, and costs the server one check of its revision instead
/// of transferring pairs. [`subscribe`](Self::subscribe) delivers each change.
///
/// The cache survives the loss of members and compactions. If events it had not seen were compacted, it re-lists the range and delivers the
/// difference. [`status`](Self::status) returns its state. A permanent error of the service (closed, or without watches) ends the cache,
/// and every later call returns this error.
///
/// A cache is cheap to clone. Its task and its watch end with the last clone. The cache keeps its client alive; changes and snapshots
/// do not.
///
/// # Cancel safety
///
/// All futures of a cache are cancel safe.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::{Cache, Get};
/// use etcd_client_core::types::KeyRange;
///
/// let cache = Cache::builder(&client, KeyRange::prefix("config/")).start()?;
/// cache.ready().await?;
/// let limit = cache.get("config/limit")?; // from memory
/// let now = cache.read(Get::new("config/limit")).await?; // linearizable
///
/// let mut changes = cache.subscribe()?;
/// for kv in changes.snapshot().iter() {
///     println!("{:?}", kv.key_str());
/// }
/// while let Some(change) = changes.next().await {
///     for event in change?.events() {
///         println!("{:?} {:?}", event.event_type, event.kv.key_str());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "reflector")]
#[doc(alias = "informer")]
#[derive(Clone)]
#[must_use = "a cache ends when it is dropped"]
pub struct Cache {
    source: Arc<dyn Source>,
    shared: Arc<Shared>,
    read_through_after: Duration,
    _ends: Arc<DropGuard>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state().borrow().clone();
        f.debug_struct("Cache")
            .field("range", self.shared.range())
            .field("status", &state.status)
            .field("revision", &state.revision)
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// Returns a builder for a cache of `range`, read and watched through `client`, within its namespace.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Cache;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let cache = Cache::builder(&client, KeyRange::prefix("config/")).history(100).start()?;
    /// cache.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(client: &Client, range: KeyRange) -> CacheBuilder {
        CacheBuilder::of_client(client, range)
    }

    /// Returns a builder for a cache on any services of the same store, such as wrappers or mocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use etcd_client_core::{Cache, Error};
    /// use etcd_client_core::kv::KvService;
    /// use etcd_client_core::types::KeyRange;
    /// use etcd_client_core::watch::WatchService;
    ///
    /// fn cache(kv: Arc<dyn KvService>, watch: Arc<dyn WatchService>) -> Result<Cache, Error> {
    ///     Cache::from_services(kv, watch, KeyRange::prefix("config/")).start()
    /// }
    /// ```
    pub fn from_services(
        kv: Arc<dyn KvService>,
        watch: Arc<dyn WatchService>,
        range: KeyRange,
    ) -> CacheBuilder {
        CacheBuilder::of_services(kv, watch, range)
    }

    fn new(
        source: Arc<dyn Source>,
        shared: Arc<Shared>,
        read_through_after: Duration,
        ends: DropGuard,
    ) -> Self {
        Self { source, shared, read_through_after, _ends: Arc::new(ends) }
    }

    /// Waits until the range is listed and watched. Attempts continue indefinitely: use a timeout to limit the wait.
    ///
    /// # Errors
    ///
    /// The error of the last attempt if the user may not read the range; attempts continue, and a later call may succeed. The error of the
    /// cache once it has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// println!("{} pairs", cache.snapshot()?.len());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "WaitReady")]
    pub async fn ready(&self) -> Result<(), Error> {
        let state = self.until(|state| state.is_ready() || rejection(state).is_some()).await?;
        rejection(&state).map_or(Ok(()), Err)
    }

    /// Returns the current state of the cache.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// println!("{:?}", cache.status());
    /// # Ok(())
    /// # }
    /// ```
    pub fn status(&self) -> CacheStatus {
        self.shared.state().borrow().status.clone()
    }

    /// Returns counters of what the cache has done so far.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// println!("{} reads were sent to the server", cache.counters().read_through);
    /// # Ok(())
    /// # }
    /// ```
    pub fn counters(&self) -> CacheCounters {
        self.shared.counters()
    }

    /// Returns the pair of a key from memory, or `None` if the key does not exist. Returns immediately.
    ///
    /// The result may be stale. Use [`read`](Self::read) for a linearizable read.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) for a key outside of the cache's range. [`Unavailable`](ErrorKind::Unavailable) before
    /// the range is listed. The error of the cache once it has ended.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// if let Some(kv) = cache.get("config/limit")? {
    ///     println!("{:?}", kv.value_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<KeyValue>, Error> {
        Ok(self.snapshot()?.get(key)?.cloned())
    }

    /// Returns all pairs from memory. The cost does not depend on the number of pairs.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) before the range is listed. The error of the cache once it has ended.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// let snapshot = cache.snapshot()?;
    /// println!("{} pairs at revision {}", snapshot.len(), snapshot.revision());
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(&self) -> Result<CacheSnapshot, Error> {
        self.shared.latest()
    }

    /// Returns all pairs at an earlier revision, within the [history](CacheBuilder::history) that is kept.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) with [`Code::Compacted`](etcd_errors::Code::Compacted) for a revision that is no longer
    /// kept or is before the list, and with [`Code::FutureRev`](etcd_errors::Code::FutureRev) for one that the cache has not reached (see
    /// [`wait_for_revision`](Self::wait_for_revision)). Otherwise the errors of [`snapshot`](Self::snapshot).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// let before = cache.snapshot()?.revision();
    /// client.put("config/limit", "20").await?;
    /// println!("{:?}", cache.snapshot_at(before)?.get("config/limit")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot_at(&self, revision: impl Into<Revision>) -> Result<CacheSnapshot, Error> {
        self.shared.at(revision.into())
    }

    /// Waits until the cache has reached `revision`, such as that of a write. Waits indefinitely: use a timeout to limit the wait.
    ///
    /// A revision without a change in the range is reached when the member reports its progress. Members that do not answer progress
    /// requests (before etcd 3.4.25 and 3.5.8) report it with the next change, or after ten minutes.
    ///
    /// # Errors
    ///
    /// The error of the cache once it has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// let written = client.put("config/limit", "20").await?.header.revision;
    /// let snapshot = cache.wait_for_revision(written).await?;
    /// println!("{:?}", snapshot.get("config/limit")?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "WaitForRevision")]
    pub async fn wait_for_revision(&self, revision: impl Into<Revision>) -> Result<CacheSnapshot, Error> {
        let revision = revision.into();
        self.shared.want(revision);
        self.until(|state| state.is_ready() && state.revision >= revision).await?;
        self.shared.latest()
    }

    /// Executes a linearizable [`Get`] from memory, with all of its options: every write acknowledged before this call is visible.
    ///
    /// The member reports its current revision first, and the cache waits until it has reached it. If that takes
    /// [too long](CacheBuilder::read_through_after), the get is sent to the server instead. A [`serializable`](Get::serializable) get is
    /// answered from memory immediately, and a get at a [`revision`](Get::revision) from the history. The header of a response from memory has
    /// the revision of the pairs and no ids.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`snapshot`](Self::snapshot), [`snapshot_at`](Self::snapshot_at) and of a get, because the server is called.
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if the get is invalid or not entirely within the cache's range.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// use etcd_client_core::Get;
    ///
    /// let found = cache.read(Get::new("config/").prefix().limit(10)).await?;
    /// println!("{} of {} pairs", found.kvs.len(), found.count);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read(&self, get: Get) -> Result<GetResponse, Error> {
        let named = |error: Error| error.with_operation("get");
        get.validate(&Limits::default().max_send_bytes(usize::MAX)).map_err(named)?;
        let spec = &get;
        covered(self.shared.span(), &spec.range)?;
        if spec.revision > Revision::ZERO {
            return answer(&self.snapshot_at(spec.revision)?, spec);
        }
        if spec.serializable {
            return answer(&self.snapshot()?, spec);
        }
        match self.fresh().await? {
            Some(snapshot) => answer(&snapshot, spec),
            None => {
                self.shared.count_read_through();
                get.bind(self.source.kv()).await
            }
        }
    }

    /// Returns all pairs, including every write acknowledged before this call.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) if the cache cannot confirm [in time](CacheBuilder::read_through_after) that it is up to date.
    /// Otherwise the errors of [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// println!("{} pairs", cache.fresh_snapshot().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn fresh_snapshot(&self) -> Result<CacheSnapshot, Error> {
        let late = || Error::new(ErrorKind::Timeout, "the cache did not catch up with the store in time");
        self.fresh().await?.ok_or_else(|| late().with_operation("cache"))
    }

    /// Returns a stream of the changes from now on, together with the state that they start from. Any number of readers may subscribe.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`snapshot`](Self::snapshot).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// cache.ready().await?;
    /// let mut changes = cache.subscribe()?;
    /// println!("{} pairs at first", changes.snapshot().len());
    /// while let Some(change) = changes.next().await {
    ///     println!("{} events", change?.events().len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self) -> Result<CacheChanges, Error> {
        self.shared.subscribe()
    }

    /// Returns a state that contains every write acknowledged before this call, or `None` if that takes too long.
    async fn fresh(&self) -> Result<Option<CacheSnapshot>, Error> {
        self.shared.latest()?;
        let (history, before) = (self.source.history(), self.shared.revision());
        let now = current_revision(self.source.kv(), self.shared.range(), &HistoryPin::default()).await?;
        // The store went back to an earlier revision, or another history was accepted. The copy belongs to a lost history, so
        // its revision cannot be compared with `now`.
        if now < before || self.source.history() != history {
            return Ok(None);
        }
        self.shared.want(now);
        let caught_up =
            self.until(|state| state.history == history && (state.revision >= now || state.progress_out));
        match timeout(self.read_through_after, caught_up).await {
            Ok(state) if state.as_ref().is_ok_and(|state| state.revision < now) => Ok(None),
            Ok(state) => state.and_then(|_caught_up| self.shared.latest()).map(Some),
            Err(_elapsed) => Ok(None),
        }
    }

    /// Waits until a condition holds or the cache ends.
    async fn until(&self, holds: impl Fn(&CacheState) -> bool + Send + Sync) -> Result<CacheState, Error> {
        let mut state = self.shared.state();
        let found = state.wait_for(|state| state.end().is_some() || holds(state)).await;
        // Cannot fail: `shared` owns the sender.
        let found = found.map_err(|_closed| Error::new(ErrorKind::Closed, "the cache has ended"))?.clone();
        match found.end() {
            Some(error) => Err(error.clone()),
            None => Ok(found),
        }
    }
}

/// Returns the error for which waiting for the first list is pointless at present.
fn rejection(state: &CacheState) -> Option<Error> {
    match &state.status {
        CacheStatus::Starting { error: Some(error) } if is_rejection(error) => Some(error.clone()),
        _ => None,
    }
}

fn is_rejection(error: &Error) -> bool {
    use etcd_errors::Code;
    error.is_permission_denied() || matches!(error.code(), Some(Code::AuthFailed | Code::UserEmpty))
}

pub use builder::CacheBuilder;
pub use change::{CacheChange, CacheChanges};
pub use snapshot::CacheSnapshot;
pub use status::{CacheCounters, CacheStatus};
