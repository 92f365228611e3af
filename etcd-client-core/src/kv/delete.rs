//! Delete: removes a key or a range of keys.

use etcd_errors::Error;

use crate::{
    kv::KvService,
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{Invalid, Key, KeyRange, KeyValue, ResponseHeader, range_setters},
};

/// Deletes a key or a range of keys. Deleting a key that does not exist is not an error.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled: the keys may still be deleted.
///
/// # Examples
/// ```
/// use etcd_client_core::Delete;
///
/// let one = Delete::new("jobs/1").prev_kv();
/// let all_jobs = Delete::new("jobs/").prefix();
/// # let _ = (one, all_jobs);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "OpDelete")]
#[doc(alias = "DeleteRangeRequest")]
#[doc(alias = "DeleteOptions")]
#[must_use = "a Delete deletes nothing until it is awaited, executed or part of a Txn"]
pub struct Delete<B = Unbound> {
    /// The keys to delete.
    pub range: KeyRange,
    /// Returns the deleted pairs.
    pub prev_kv: bool,
    pub(crate) binding: B,
}

bindable!(Delete { range, prev_kv } => DeleteResponse, KvService.delete);

impl Delete {
    /// Creates a request that deletes exactly `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Creates a request that deletes the keys of `range`.
    pub fn from_range(range: KeyRange) -> Self {
        Self { range, prev_kv: false, binding: Unbound }
    }
}

impl<B> Delete<B> {
    range_setters!(range);

    /// Returns the deleted pairs.
    #[doc(alias = "WithPrevKV")]
    #[doc(alias = "with_prev_key")]
    pub fn prev_kv(mut self) -> Self {
        self.prev_kv = true;
        self
    }
}

impl Delete {
    /// Validates the request against `limits` without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code if there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.check()?;
        size::check(limits, true, size::of_range(&self.range), || size::delete_len(self))?;
        Ok(())
    }
}

impl Delete {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        self.range.check()
    }
}

/// The response to a [`Delete`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteResponse {
    /// The header, with the revision of the deletion if anything was deleted.
    pub header: ResponseHeader,
    /// The number of deleted keys.
    pub deleted: u64,
    /// The deleted pairs, if they were requested.
    pub prev_kvs: Vec<KeyValue>,
}

impl DeleteResponse {
    /// Creates a response without the deleted pairs.
    pub fn new(header: ResponseHeader, deleted: u64) -> Self {
        Self { header, deleted, prev_kvs: Vec::new() }
    }

    /// Sets the deleted pairs.
    #[must_use = "returns the changed response"]
    pub fn with_prev_kvs(mut self, prev_kvs: Vec<KeyValue>) -> Self {
        self.prev_kvs = prev_kvs;
        self
    }
}
