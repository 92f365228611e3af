//! Delete: removes a key or a range of keys.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, KeyRange, Limits, Unbound, range_setters, size};
use crate::model::{Key, KeyValue, ResponseHeader};

/// Deletes a key or a range of keys; those that do not exist are no error.
///
/// Dropping the future after it was polled leaves the outcome unknown: the keys may still be deleted.
///
/// ```
/// use etcd_client_core::Delete;
///
/// let one = Delete::new("jobs/1").prev_kv();
/// let all_jobs = Delete::new("jobs/").prefix();
/// # let _ = (one, all_jobs);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Delete deletes nothing until it is awaited, executed or part of a Txn"]
pub struct Delete<B = Unbound> {
    pub(super) spec: DeleteSpec,
    pub(super) binding: B,
}

/// What a [`Delete`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteSpec {
    /// The keys to delete.
    pub range: KeyRange,
    /// Whether the deleted pairs are returned.
    pub prev_kv: bool,
}

bindable!(Delete, DeleteSpec => DeleteResponse, Bound: Kv.delete);

impl Delete {
    /// Deletes exactly `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Deletes the keys of `range`.
    pub fn from_range(range: KeyRange) -> Self {
        DeleteSpec { range, prev_kv: false }.into()
    }
}

impl<B> Delete<B> {
    range_setters!(spec.range);

    /// Returns the deleted pairs.
    pub fn prev_kv(mut self) -> Self {
        self.spec.prev_kv = true;
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with where there is one.
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

/// The answer to a [`Delete`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteResponse {
    /// Who answered; its revision is that of the deletion, if anything was deleted.
    pub header: ResponseHeader,
    /// How many keys were deleted.
    pub deleted: u64,
    /// The deleted pairs, when asked for.
    pub prev_kvs: Vec<KeyValue>,
}

impl DeleteResponse {
    /// An answer without the deleted pairs.
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
