//! Get: the pairs of a key or a range, now or at an earlier revision.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Bound, Invalid, KeyRange, Limits, SortOrder, SortTarget, Unbound, range_setters, size};
use crate::model::{Key, KeyValue, ResponseHeader, Revision};
use crate::service::Kv;

/// Reads a key or a range of keys.
///
/// Linearizable unless [`serializable`](Self::serializable) is set. Dropping the future has no effect on
/// the store.
///
/// ```
/// use etcd_client_core::{Get, SortOrder, SortTarget};
///
/// let newest = Get::new("jobs/").prefix().sort(SortTarget::CreateRevision, SortOrder::Descend).limit(10);
/// let oldest_key = Get::new("jobs/").first_create();
/// let how_many = Get::new("").all_keys().count_only();
/// # let _ = (newest, oldest_key, how_many);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Get reads nothing until it is awaited, executed or part of a Txn"]
pub struct Get<B = Unbound> {
    pub(super) spec: GetSpec,
    pub(super) binding: B,
}

/// What a [`Get`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetSpec {
    /// The keys to read.
    pub range: KeyRange,
    /// The revision to read at; zero for the current one.
    pub revision: Revision,
    /// How many pairs to return at most; zero for all.
    pub limit: i64,
    /// The order of the pairs; `None` for bytewise ascending keys.
    pub sort: Option<(SortTarget, SortOrder)>,
    /// Whether the member may answer from its own, possibly stale, state.
    pub serializable: bool,
    /// Whether values are left out.
    pub keys_only: bool,
    /// Whether only the number of keys is returned.
    pub count_only: bool,
    /// Leaves out keys last changed before this revision; zero for no bound.
    pub min_mod_revision: Revision,
    /// Leaves out keys last changed after this revision; zero for no bound.
    pub max_mod_revision: Revision,
    /// Leaves out keys created before this revision; zero for no bound.
    pub min_create_revision: Revision,
    /// Leaves out keys created after this revision; zero for no bound.
    pub max_create_revision: Revision,
}

bindable!(Get, GetSpec => GetResponse, Bound: Kv.get);

impl Get {
    /// Reads exactly `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Reads the keys of `range`.
    pub fn from_range(range: KeyRange) -> Self {
        let spec = GetSpec {
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
        };
        spec.into()
    }
}

impl<B> Get<B> {
    range_setters!(spec.range);

    /// Reads the store as it was at `revision`. Default, and zero: the current revision.
    ///
    /// A compacted or a future revision is an error of the server.
    pub fn revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.revision = revision.into();
        self
    }

    /// Returns at most `limit` pairs, the first in the order asked for. Default, and zero: all.
    /// The count of the answer is not affected.
    pub fn limit(mut self, limit: i64) -> Self {
        self.spec.limit = limit;
        self
    }

    /// Orders the pairs; needs a range. Default: ascending keys. A later call replaces an earlier one.
    pub fn sort(mut self, target: SortTarget, order: SortOrder) -> Self {
        self.spec.sort = Some((target, order));
        self
    }

    /// Returns only the first key of the range: a sort and `limit(1)`, over the keys with the key as prefix
    /// unless another range is chosen.
    pub fn first_key(self) -> Self {
        self.only(SortTarget::Key, SortOrder::Ascend)
    }

    /// Returns only the last key of the range; see [`first_key`](Self::first_key).
    pub fn last_key(self) -> Self {
        self.only(SortTarget::Key, SortOrder::Descend)
    }

    /// Returns only the key created first; see [`first_key`](Self::first_key).
    pub fn first_create(self) -> Self {
        self.only(SortTarget::CreateRevision, SortOrder::Ascend)
    }

    /// Returns only the key created last; see [`first_key`](Self::first_key).
    pub fn last_create(self) -> Self {
        self.only(SortTarget::CreateRevision, SortOrder::Descend)
    }

    /// Returns only the key whose last change is the oldest; see [`first_key`](Self::first_key).
    pub fn first_revision(self) -> Self {
        self.only(SortTarget::ModRevision, SortOrder::Ascend)
    }

    /// Returns only the key changed last; see [`first_key`](Self::first_key).
    pub fn last_revision(self) -> Self {
        self.only(SortTarget::ModRevision, SortOrder::Descend)
    }

    fn only(mut self, target: SortTarget, order: SortOrder) -> Self {
        self.spec.range.imply_prefix();
        self.sort(target, order).limit(1)
    }

    /// Lets the member answer from its own state: faster, without a quorum, possibly stale.
    /// Default: linearizable.
    pub fn serializable(mut self) -> Self {
        self.spec.serializable = true;
        self
    }

    /// Leaves out the values. Members of 3.7 leave out the leases as well.
    pub fn keys_only(mut self) -> Self {
        self.spec.keys_only = true;
        self
    }

    /// Returns only how many keys there are; wins over [`keys_only`](Self::keys_only).
    pub fn count_only(mut self) -> Self {
        self.spec.count_only = true;
        self
    }

    /// Leaves out keys last changed before `revision`. Filters apply after the range is read: the count of
    /// the answer is not affected. Default, and zero: no bound.
    pub fn min_mod_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.min_mod_revision = revision.into();
        self
    }

    /// Leaves out keys last changed after `revision`; see [`min_mod_revision`](Self::min_mod_revision).
    pub fn max_mod_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.max_mod_revision = revision.into();
        self
    }

    /// Leaves out keys created before `revision`; see [`min_mod_revision`](Self::min_mod_revision).
    pub fn min_create_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.min_create_revision = revision.into();
        self
    }

    /// Leaves out keys created after `revision`; see [`min_mod_revision`](Self::min_mod_revision).
    pub fn max_create_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.max_create_revision = revision.into();
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with where there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.spec.check()?;
        size::check(limits, false, size::of_range(&self.spec.range), || crate::wire::get_len(&self.spec))?;
        Ok(())
    }
}

impl<'a> Get<Bound<'a>> {
    pub(crate) fn service(&self) -> &'a dyn Kv {
        self.binding.service
    }
}

impl GetSpec {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        self.range.check()?;
        if self.limit < 0 {
            return Err(Invalid::new("limit", "is negative"));
        }
        let revisions = [
            ("revision", self.revision),
            ("min_mod_revision", self.min_mod_revision),
            ("max_mod_revision", self.max_mod_revision),
            ("min_create_revision", self.min_create_revision),
            ("max_create_revision", self.max_create_revision),
        ];
        if let Some((field, _)) = revisions.into_iter().find(|(_, revision)| *revision < Revision::ZERO) {
            return Err(Invalid::new(field, "is negative"));
        }
        if self.sort.is_some() && !self.range.is_range() {
            return Err(Invalid::new("sort", "needs a range of keys"));
        }
        Ok(())
    }
}

/// The answer to a [`Get`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetResponse {
    /// Who answered, and at which revision the store is.
    pub header: ResponseHeader,
    /// The pairs, in the order asked for.
    pub kvs: Vec<KeyValue>,
    /// Whether the limit left pairs out.
    pub more: bool,
    /// How many keys are in the range, whatever limit and filters left out.
    pub count: u64,
}

impl GetResponse {
    /// An answer with all pairs there are: `more` is false, `count` their number.
    pub fn new(header: ResponseHeader, kvs: Vec<KeyValue>) -> Self {
        let count = kvs.len() as u64;
        Self { header, kvs, more: false, count }
    }

    /// Sets whether the limit left pairs out.
    #[must_use = "returns the changed response"]
    pub fn with_more(mut self, more: bool) -> Self {
        self.more = more;
        self
    }

    /// Sets how many keys are in the range.
    #[must_use = "returns the changed response"]
    pub fn with_count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// The first pair: the pair of a Get of one key, `None` when the key does not exist.
    pub fn first(&self) -> Option<&KeyValue> {
        self.kvs.first()
    }

    /// The first pair, out of the response.
    pub fn into_first(self) -> Option<KeyValue> {
        self.kvs.into_iter().next()
    }
}
