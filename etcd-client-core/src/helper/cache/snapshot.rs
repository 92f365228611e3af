//! What a cache had at one revision.

use std::{fmt, sync::Arc};

use etcd_errors::Error;

use crate::{
    mechanism::replica::{Pairs, Span},
    model::{KeyValue, Revision},
    op::KeyRange,
};

/// The pairs of a [`Cache`](super::Cache) at one revision: immutable, cheap to clone, and in nobody's way.
///
/// It keeps in memory what was changed after it for as long as it is held.
#[derive(Clone)]
pub struct CacheSnapshot {
    span: Arc<Span>,
    pub(super) pairs: Pairs,
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
    pub(super) fn new(span: Arc<Span>, pairs: Pairs, revision: Revision) -> Self {
        Self { span, pairs, revision }
    }

    /// The revision that these pairs are those of.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pair of a key, `None` where the key did not exist.
    ///
    /// # Errors
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a key outside of the cache's range.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<&KeyValue>, Error> {
        let key = key.as_ref();
        if self.span.has(key) { Ok(self.pairs.get(key)) } else { Err(outside("key")) }
    }

    /// The pairs of a range, in the order of their keys.
    ///
    /// # Errors
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a range that contradicts itself, or is not all in the cache's.
    pub fn range<'a>(
        &'a self,
        range: &KeyRange,
    ) -> Result<impl Iterator<Item = &'a KeyValue> + use<'a>, Error> {
        let span = self.covered(range)?;
        Ok(self.pairs.range(span))
    }

    /// All pairs, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &KeyValue> {
        self.pairs.iter()
    }

    pub(super) fn covered(&self, range: &KeyRange) -> Result<Span, Error> {
        covered(&self.span, range)
    }
}

/// The span of `range`, if it is part of `whole`.
pub(super) fn covered(whole: &Span, range: &KeyRange) -> Result<Span, Error> {
    range.check()?;
    let span = Span::of(range);
    if whole.covers(&span) { Ok(span) } else { Err(outside("range_end")) }
}

fn outside(field: &'static str) -> Error {
    Error::invalid_request(field, "a key is outside of the cache's range").with_operation("cache")
}
