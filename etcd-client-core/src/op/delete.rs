//! Delete: removes a key or a range of keys.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, KeyRange, Limits, Unbound, range_setters, size};
use crate::model::{Key, KeyValue, ResponseHeader};

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
    pub(super) spec: DeleteSpec,
    pub(super) binding: B,
}

/// The parameters of a [`Delete`].
#[doc(alias = "DeleteOptions")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteSpec {
    /// The keys to delete.
    pub range: KeyRange,
    /// Returns the deleted pairs.
    pub prev_kv: bool,
}

bindable!(Delete, DeleteSpec => DeleteResponse, Bound: Kv.delete);

impl Delete {
    /// Creates a request that deletes exactly `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Creates a request that deletes the keys of `range`.
    pub fn from_range(range: KeyRange) -> Self {
        DeleteSpec { range, prev_kv: false }.into()
    }
}

impl<B> Delete<B> {
    range_setters!(spec.range);

    /// Returns the deleted pairs.
    #[doc(alias = "WithPrevKV")]
    #[doc(alias = "with_prev_key")]
    pub fn prev_kv(mut self) -> Self {
        self.spec.prev_kv = true;
        self
    }

    /// Validates the request against `limits` without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code if there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.spec.check()?;
        size::check(limits, true, size::of_range(&self.spec.range), || crate::wire::delete_len(&self.spec))?;
        Ok(())
    }
}

impl DeleteSpec {
    pub(super) fn check(&self) -> Result<(), Invalid> {
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
