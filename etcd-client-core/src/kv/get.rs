//! Get: reads a key or a range of keys, at the current revision or an earlier one.

use etcd_errors::Error;

use crate::{
    kv::KvService,
    request::{Bound, Limits, Unbound, bound::bindable},
    txn::size,
    types::{Invalid, Key, KeyRange, KeyValue, ResponseHeader, Revision, range_setters},
};

/// Reads a key or a range of keys.
///
/// Reads are linearizable unless [`serializable`](Self::serializable) is set.
///
/// # Cancel safety
/// Dropping the future has no effect on the store.
///
/// # Examples
/// ```
/// use etcd_client_core::Get;
/// use etcd_client_core::kv::{SortOrder, SortTarget};
///
/// let newest = Get::new("jobs/").prefix().sort(SortTarget::CreateRevision, SortOrder::Descend).limit(10);
/// let oldest_key = Get::new("jobs/").first_create();
/// let count = Get::new("").all_keys().count_only();
/// # let _ = (newest, oldest_key, count);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "OpGet")]
#[doc(alias = "RangeRequest")]
#[doc(alias = "GetOptions")]
#[must_use = "a Get reads nothing until it is awaited, executed or part of a Txn"]
pub struct Get<B = Unbound> {
    /// The keys to read.
    pub range: KeyRange,
    /// The revision to read at; zero for the current one.
    pub revision: Revision,
    /// The maximum number of pairs to return; zero for no limit.
    pub limit: i64,
    /// The order of the pairs; `None` for ascending keys, compared as bytes.
    pub sort: Option<(SortTarget, SortOrder)>,
    /// Allows the member to respond from its own state, which may be stale.
    pub serializable: bool,
    /// Omits the values.
    pub keys_only: bool,
    /// Returns only the number of keys.
    pub count_only: bool,
    /// Omits keys last modified before this revision; zero for no bound.
    pub min_mod_revision: Revision,
    /// Omits keys last modified after this revision; zero for no bound.
    pub max_mod_revision: Revision,
    /// Omits keys created before this revision; zero for no bound.
    pub min_create_revision: Revision,
    /// Omits keys created after this revision; zero for no bound.
    pub max_create_revision: Revision,
    pub(crate) binding: B,
}

bindable!(Get { range, revision, limit, sort, serializable, keys_only, count_only, min_mod_revision, max_mod_revision, min_create_revision, max_create_revision } => GetResponse, KvService.get);

impl Get {
    /// Creates a request that reads exactly `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Creates a request that reads the keys of `range`.
    pub fn from_range(range: KeyRange) -> Self {
        Self {
            range,
            revision: Revision::ZERO,
            limit: 0,
            sort: None,
            serializable: false,
            keys_only: false,
            count_only: false,
            min_mod_revision: Revision::ZERO,
            max_mod_revision: Revision::ZERO,
            min_create_revision: Revision::ZERO,
            max_create_revision: Revision::ZERO,
            binding: Unbound,
        }
    }
}

impl<B> Get<B> {
    range_setters!(range);

    /// Reads the store as it was at `revision`. Zero, the default, is the current revision.
    ///
    /// etcd returns an error for a revision that is compacted or in the future.
    #[doc(alias = "WithRev")]
    #[doc(alias = "with_revision")]
    pub fn revision(mut self, revision: impl Into<Revision>) -> Self {
        self.revision = revision.into();
        self
    }

    /// Returns at most `limit` pairs, the first ones in the requested order. Zero, the default, returns all pairs.
    ///
    /// The `count` of the response is not affected.
    #[doc(alias = "WithLimit")]
    #[doc(alias = "with_limit")]
    pub fn limit(mut self, limit: i64) -> Self {
        self.limit = limit;
        self
    }

    /// Sorts the pairs. The default is ascending keys.
    ///
    /// Sorting requires a range of keys. A later call replaces an earlier one.
    #[doc(alias = "WithSort")]
    #[doc(alias = "with_sort")]
    pub fn sort(mut self, target: SortTarget, order: SortOrder) -> Self {
        self.sort = Some((target, order));
        self
    }

    /// Returns only the first key of the range.
    ///
    /// Combines a sort with `limit(1)`. The range is every key that has this key as its prefix, unless another range
    /// is selected.
    #[doc(alias = "WithFirstKey")]
    pub fn first_key(self) -> Self {
        self.only(SortTarget::Key, SortOrder::Ascend)
    }

    /// Returns only the last key of the range; see [`first_key`](Self::first_key).
    #[doc(alias = "WithLastKey")]
    pub fn last_key(self) -> Self {
        self.only(SortTarget::Key, SortOrder::Descend)
    }

    /// Returns only the key that was created first; see [`first_key`](Self::first_key).
    #[doc(alias = "WithFirstCreate")]
    pub fn first_create(self) -> Self {
        self.only(SortTarget::CreateRevision, SortOrder::Ascend)
    }

    /// Returns only the key that was created last; see [`first_key`](Self::first_key).
    #[doc(alias = "WithLastCreate")]
    pub fn last_create(self) -> Self {
        self.only(SortTarget::CreateRevision, SortOrder::Descend)
    }

    /// Returns only the key with the oldest modification; see [`first_key`](Self::first_key).
    #[doc(alias = "WithFirstRev")]
    pub fn first_revision(self) -> Self {
        self.only(SortTarget::ModRevision, SortOrder::Ascend)
    }

    /// Returns only the key that was modified last; see [`first_key`](Self::first_key).
    #[doc(alias = "WithLastRev")]
    pub fn last_revision(self) -> Self {
        self.only(SortTarget::ModRevision, SortOrder::Descend)
    }

    fn only(mut self, target: SortTarget, order: SortOrder) -> Self {
        self.range.imply_prefix();
        self.sort(target, order).limit(1)
    }

    /// Allows the member to respond from its own state. The default is a linearizable read.
    ///
    /// A serializable read is faster and needs no quorum, but it may return stale data.
    #[doc(alias = "WithSerializable")]
    #[doc(alias = "with_serializable")]
    pub fn serializable(mut self) -> Self {
        self.serializable = true;
        self
    }

    /// Omits the values. Members of etcd 3.7 also omit the leases.
    #[doc(alias = "WithKeysOnly")]
    #[doc(alias = "with_keys_only")]
    pub fn keys_only(mut self) -> Self {
        self.keys_only = true;
        self
    }

    /// Returns only the number of keys. Takes precedence over [`keys_only`](Self::keys_only).
    #[doc(alias = "WithCountOnly")]
    #[doc(alias = "with_count_only")]
    pub fn count_only(mut self) -> Self {
        self.count_only = true;
        self
    }

    /// Omits keys last modified before `revision`. Zero, the default, sets no bound.
    ///
    /// etcd filters after it has read the range, so the `count` of the response is not affected.
    #[doc(alias = "WithMinModRev")]
    #[doc(alias = "with_min_mod_revision")]
    pub fn min_mod_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.min_mod_revision = revision.into();
        self
    }

    /// Omits keys last modified after `revision`; see [`min_mod_revision`](Self::min_mod_revision).
    #[doc(alias = "WithMaxModRev")]
    #[doc(alias = "with_max_mod_revision")]
    pub fn max_mod_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.max_mod_revision = revision.into();
        self
    }

    /// Omits keys created before `revision`; see [`min_mod_revision`](Self::min_mod_revision).
    #[doc(alias = "WithMinCreateRev")]
    #[doc(alias = "with_min_create_revision")]
    pub fn min_create_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.min_create_revision = revision.into();
        self
    }

    /// Omits keys created after `revision`; see [`min_mod_revision`](Self::min_mod_revision).
    #[doc(alias = "WithMaxCreateRev")]
    #[doc(alias = "with_max_create_revision")]
    pub fn max_create_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.max_create_revision = revision.into();
        self
    }
}

impl Get {
    /// Validates the request against `limits` without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code if there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.check()?;
        size::check(limits, false, size::of_range(&self.range), || size::get_len(self))?;
        Ok(())
    }
}

impl<'a> Get<Bound<'a, dyn KvService>> {
    pub(crate) fn service(&self) -> &'a dyn KvService {
        self.binding.service
    }
}

impl Get {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        self.range.check()?;
        if self.limit < 0 {
            return Err(Invalid::new("limit", "must not be negative"));
        }
        let revisions = [
            ("revision", self.revision),
            ("min_mod_revision", self.min_mod_revision),
            ("max_mod_revision", self.max_mod_revision),
            ("min_create_revision", self.min_create_revision),
            ("max_create_revision", self.max_create_revision),
        ];
        if let Some((field, _)) = revisions.into_iter().find(|(_, revision)| *revision < Revision::ZERO) {
            return Err(Invalid::new(field, "must not be negative"));
        }
        if self.sort.is_some() && !self.range.is_range() {
            return Err(Invalid::new("sort", "needs a range of keys"));
        }
        Ok(())
    }
}

/// The response to a [`Get`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetResponse {
    /// The header, with the revision of the store.
    pub header: ResponseHeader,
    /// The pairs, in the requested order.
    pub kvs: Vec<KeyValue>,
    /// Whether the limit cut off further pairs.
    pub more: bool,
    /// The number of keys in the range, before the limit and the filters apply.
    pub count: u64,
}

impl GetResponse {
    /// Creates a response that holds every pair: `more` is false and `count` is the number of pairs.
    pub fn new(header: ResponseHeader, kvs: Vec<KeyValue>) -> Self {
        let count = kvs.len() as u64;
        Self { header, kvs, more: false, count }
    }

    /// Sets whether the limit cut off further pairs.
    #[must_use = "returns the changed response"]
    pub fn with_more(mut self, more: bool) -> Self {
        self.more = more;
        self
    }

    /// Sets the number of keys in the range.
    #[must_use = "returns the changed response"]
    pub fn with_count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// Returns the first pair. For a read of a single key this is its pair, or `None` if the key does not exist.
    pub fn first(&self) -> Option<&KeyValue> {
        self.kvs.first()
    }

    /// Consumes the response and returns the first pair.
    pub fn into_first(self) -> Option<KeyValue> {
        self.kvs.into_iter().next()
    }
}

/// The property by which the pairs of a range are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortTarget {
    /// The key, compared as bytes.
    #[doc(alias = "SortByKey")]
    Key,
    /// The version: how many times the key was put since its creation.
    #[doc(alias = "SortByVersion")]
    Version,
    /// The revision that created the key.
    #[doc(alias = "SortByCreateRevision")]
    CreateRevision,
    /// The revision that last modified the key.
    #[doc(alias = "SortByModRevision")]
    ModRevision,
    /// The value, compared as bytes.
    #[doc(alias = "SortByValue")]
    Value,
}

/// The direction in which the pairs of a range are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortOrder {
    /// Lowest first.
    #[doc(alias = "SortAscend")]
    Ascend,
    /// Highest first.
    #[doc(alias = "SortDescend")]
    Descend,
}
