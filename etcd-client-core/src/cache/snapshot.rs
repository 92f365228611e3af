//! An immutable snapshot of a cache.

use std::{fmt, sync::Arc};

use etcd_errors::Error;

use crate::{
    cache::replica::{covered_range::Span, pairs::Pairs},
    types::{KeyRange, KeyValue, Revision},
};

/// The pairs of a [`Cache`](crate::cache::Cache) at one revision. A snapshot is immutable, cheap to clone, and never blocks the cache.
///
/// While it is held, the pairs that were changed or deleted since stay in memory.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
/// cache.ready().await?;
/// let snapshot = cache.snapshot()?;
/// for kv in snapshot.iter() {
///     println!("{:?} {:?}", kv.key_str(), kv.value_str());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CacheSnapshot {
    span: Arc<Span>,
    pub(crate) pairs: Pairs,
    revision: Revision,
}

impl fmt::Debug for CacheSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheSnapshot")
            .field("revision", &self.revision)
            .field("pairs", &self.len())
            .finish_non_exhaustive()
    }
}

impl CacheSnapshot {
    pub(crate) fn new(span: Arc<Span>, pairs: Pairs, revision: Revision) -> Self {
        Self { span, pairs, revision }
    }

    /// Returns the revision of these pairs.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Returns whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the pair of a key, or `None` if the key did not exist.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a key outside of the cache's range.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<&KeyValue>, Error> {
        let key = key.as_ref();
        if self.span.has(key) { Ok(self.pairs.get(key)) } else { Err(outside("key")) }
    }

    /// Returns the pairs of a range in key order.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a range that is contradictory, or not entirely within the
    /// cache's range.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let cache = etcd_client_core::Cache::builder(&client, etcd_client_core::types::KeyRange::prefix("config/")).start()?;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// cache.ready().await?;
    /// for kv in cache.snapshot()?.range(&KeyRange::prefix("config/limits/"))? {
    ///     println!("{:?}", kv.key_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn range<'a>(
        &'a self,
        range: &KeyRange,
    ) -> Result<impl Iterator<Item = &'a KeyValue> + use<'a>, Error> {
        let span = self.covered(range)?;
        Ok(self.pairs.range(span))
    }

    /// Returns all pairs in key order.
    pub fn iter(&self) -> impl Iterator<Item = &KeyValue> {
        self.pairs.iter()
    }

    pub(crate) fn covered(&self, range: &KeyRange) -> Result<Span, Error> {
        covered(&self.span, range)
    }
}

/// Returns the span of `range` if it is within `whole`.
pub(crate) fn covered(whole: &Span, range: &KeyRange) -> Result<Span, Error> {
    range.check()?;
    let span = Span::of(range);
    if whole.covers(&span) { Ok(span) } else { Err(outside("range_end")) }
}

fn outside(field: &'static str) -> Error {
    Error::invalid_request(field, "a requested key is outside of the cache's range").with_operation("cache")
}
