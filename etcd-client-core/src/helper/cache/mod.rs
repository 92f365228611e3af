//! Cache: a copy of a range in memory that follows the store, what Kubernetes calls a reflector.

mod answer;
mod builder;
mod change;
mod follower;
mod questions;
mod shared;
mod snapshot;
mod status;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

pub use builder::CacheBuilder;
pub use change::{CacheChange, CacheChanges};
pub use snapshot::CacheSnapshot;
pub use status::{CacheCounters, CacheStatus};

use self::{answer::answer, shared::Shared, snapshot::covered, status::Standing};
use crate::{
    client::Client,
    helper::{revision, source::Source},
    model::{KeyValue, Revision},
    op::{Get, GetResponse, HistoryPin, KeyRange, Limits},
    service::{Kv, Watch},
};

/// A copy of a range of keys in memory, a reflector: listed once, then kept up to date by one watch for any number of readers.
///
/// It is always the store as it was at one revision, never a mixture of two. Reads without `await` are answered from memory, from
/// what the cache knows; [`read`](Self::read) is linearizable like a get, and costs the server a check of its revision and no pairs.
/// [`subscribe`](Self::subscribe) tells each change.
///
/// It survives lost members and compactions: where history that it had not seen is gone, it lists the range again and tells the
/// difference. [`status`](Self::status) says what it is doing. What the service refuses for good (it was closed, or has no watches)
/// ends it, and is then the error of every call.
///
/// Cheap to clone; its task and its watch end with the last clone. Dropping a future of it leaves nothing behind.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::{Cache, Get, KeyRange};
///
/// let cache = Cache::builder(&client, KeyRange::prefix("config/")).start()?;
/// cache.ready().await?;
/// let limit = cache.get("config/limit")?; // from memory
/// let now = cache.read(Get::new("config/limit")).await?; // nothing acknowledged before this call is missing
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
///
/// It keeps its client alive. Changes and snapshots do not.
#[derive(Clone)]
#[must_use = "a cache that is dropped ends"]
pub struct Cache {
    source: Arc<dyn Source>,
    shared: Arc<Shared>,
    patience: Duration,
    _ends: Arc<DropGuard>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = self.shared.standing().borrow().clone();
        f.debug_struct("Cache")
            .field("range", self.shared.range())
            .field("status", &standing.status)
            .field("revision", &standing.revision)
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// Settings for a cache of `range`, read and watched by `client`, within its namespace.
    pub fn builder(client: &Client, range: KeyRange) -> CacheBuilder {
        CacheBuilder::of_client(client, range)
    }

    /// Settings for a cache on services of your own, both of the same store.
    pub fn over(kv: Arc<dyn Kv>, watch: Arc<dyn Watch>, range: KeyRange) -> CacheBuilder {
        CacheBuilder::of_services(kv, watch, range)
    }

    fn new(source: Arc<dyn Source>, shared: Arc<Shared>, patience: Duration, ends: DropGuard) -> Self {
        Self { source, shared, patience, _ends: Arc::new(ends) }
    }

    /// Waits until the range was listed and is watched. There is no limit to the wait: attempts go on as long as it takes.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// When the range may not be read: attempts go on all the same, and a later call may succeed. When the cache has ended.
    pub async fn ready(&self) -> Result<(), Error> {
        let standing = self.until(|standing| standing.is_ready() || refusal(standing).is_some()).await?;
        refusal(&standing).map_or(Ok(()), Err)
    }

    /// How the cache stands.
    pub fn status(&self) -> CacheStatus {
        self.shared.standing().borrow().status.clone()
    }

    /// What happened to the cache so far.
    pub fn counters(&self) -> CacheCounters {
        self.shared.counters()
    }

    /// The pair of a key as far as the cache knows, `None` where there is none. Waits for nobody.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) for a key outside of the cache's range, [`Unavailable`](ErrorKind::Unavailable)
    /// before the range was listed, the cache's own error once it has ended.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<KeyValue>, Error> {
        Ok(self.snapshot()?.get(key)?.cloned())
    }

    /// All pairs as far as the cache knows. Takes as long as a clone of two pointers, whatever is in it.
    ///
    /// # Errors
    /// [`Unavailable`](ErrorKind::Unavailable) before the range was listed, the cache's own error once it has ended.
    pub fn snapshot(&self) -> Result<CacheSnapshot, Error> {
        self.shared.latest()
    }

    /// All pairs as they were at an earlier revision, as far back as the [history](CacheBuilder::history) reaches.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest): with [`Code::Compacted`](etcd_errors::Code::Compacted) for a revision that is
    /// not kept any more or was before the range was listed, with [`Code::FutureRev`](etcd_errors::Code::FutureRev) for one that
    /// the cache has not reached ([`wait_for_revision`](Self::wait_for_revision) waits for it). Else as [`snapshot`](Self::snapshot).
    pub fn snapshot_at(&self, revision: impl Into<Revision>) -> Result<CacheSnapshot, Error> {
        self.shared.at(revision.into())
    }

    /// Waits until the cache is at `revision`, such as that of a write, or later. There is no limit to the wait.
    ///
    /// A revision that changed nothing in the range is reached when the member says so. Those that cannot be asked (before etcd 3.4.25
    /// and 3.5.8) say it with the next change, or after ten minutes.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// When the cache has ended.
    pub async fn wait_for_revision(&self, revision: impl Into<Revision>) -> Result<CacheSnapshot, Error> {
        let revision = revision.into();
        self.shared.want(revision);
        self.until(|standing| standing.is_ready() && standing.revision >= revision).await?;
        self.shared.latest()
    }

    /// Reads as a member would, with all options of a [`Get`]: from memory, after the member has told its revision and the cache has
    /// reached it. Linearizable: every write that was acknowledged before is in the answer.
    ///
    /// Where the cache cannot tell [in time](CacheBuilder::read_through_after) that it is up to date, the get is sent to the server
    /// instead. A [`serializable`](Get::serializable) one is answered from memory at once, one at a
    /// [`revision`](Get::revision) from the history. The header of an answer from memory has the revision that the pairs are of, and
    /// no ids. Cancel safe.
    ///
    /// # Errors
    /// Those of [`snapshot`](Self::snapshot) and [`snapshot_at`](Self::snapshot_at); [`InvalidRequest`](ErrorKind::InvalidRequest) for
    /// what contradicts itself or is not all in the cache's range; those of a get, since the server is asked.
    pub async fn read(&self, get: Get) -> Result<GetResponse, Error> {
        let named = |error: Error| error.with_operation("get");
        get.validate(&Limits::default().max_send_bytes(usize::MAX)).map_err(named)?;
        let spec = get.spec();
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

    /// All pairs, none older than what was acknowledged before this call: what [`read`](Self::read) reads from.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// [`Timeout`](ErrorKind::Timeout) where the cache cannot tell [in time](CacheBuilder::read_through_after) that it is up to date.
    /// Else as [`read`](Self::read).
    pub async fn fresh_snapshot(&self) -> Result<CacheSnapshot, Error> {
        let late = || Error::new(ErrorKind::Timeout, "the cache did not become up to date in time");
        self.fresh().await?.ok_or_else(|| late().with_operation("cache"))
    }

    /// Every change from now on, after the state that it starts from. Any number of readers may subscribe.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn subscribe(&self) -> Result<CacheChanges, Error> {
        self.shared.subscribe()
    }

    /// The state that contains what was acknowledged before; `None` where that takes too long.
    async fn fresh(&self) -> Result<Option<CacheSnapshot>, Error> {
        self.shared.latest()?;
        let (history, before) = (self.source.history(), self.shared.revision());
        let now = revision::current(self.source.kv(), self.shared.range(), &HistoryPin::default()).await?;
        // The store was set back, or another history accepted: what is here is lost, whatever its revision.
        if now < before || self.source.history() != history {
            return Ok(None);
        }
        self.shared.want(now);
        let caught_up = self.until(|standing| {
            standing.history == history && (standing.revision >= now || standing.progress_out)
        });
        match timeout(self.patience, caught_up).await {
            Ok(standing) if standing.as_ref().is_ok_and(|standing| standing.revision < now) => Ok(None),
            Ok(standing) => standing.and_then(|_caught_up| self.shared.latest()).map(Some),
            Err(_elapsed) => Ok(None),
        }
    }

    /// Waits for a condition, or the end of the cache.
    async fn until(&self, holds: impl Fn(&Standing) -> bool + Send + Sync) -> Result<Standing, Error> {
        let mut standing = self.shared.standing();
        let found = standing.wait_for(|standing| standing.end().is_some() || holds(standing)).await;
        // The sender is in `shared`.
        let found = found.map_err(|_closed| Error::new(ErrorKind::Closed, "the cache is gone"))?.clone();
        match found.end() {
            Some(error) => Err(error.clone()),
            None => Ok(found),
        }
    }
}

/// Why waiting for the first listing is of no use for now.
fn refusal(standing: &Standing) -> Option<Error> {
    match &standing.status {
        CacheStatus::Starting { error: Some(error) } if is_refusal(error) => Some(error.clone()),
        _ => None,
    }
}

fn is_refusal(error: &Error) -> bool {
    use etcd_errors::Code;
    error.is_permission_denied() || matches!(error.code(), Some(Code::AuthFailed | Code::UserEmpty))
}
