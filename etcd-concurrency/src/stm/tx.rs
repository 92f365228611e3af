//! The handle of a transaction's function.

use std::sync::Arc;

use etcd_client_core::{Key, KeyRange, Put, Revision, Value};

use super::attempt::Attempt;
use crate::Error;

/// What the function of a transaction reads and writes by.
///
/// A clone is of the same attempt. After the attempt it is of no use: reads are errors, writes go nowhere.
#[derive(Clone, Debug)]
pub struct Tx {
    attempt: Arc<Attempt>,
}

impl Tx {
    pub(super) fn new(attempt: &Arc<Attempt>) -> Self {
        Self { attempt: Arc::clone(attempt) }
    }

    /// The value of a key: what this transaction put, else what was there when it was read first. `None` when there is no such key.
    ///
    /// # Errors
    /// The client's; it spoils the attempt, so that [`Stm::run`](super::Stm::run) returns it whatever the function makes of it.
    pub fn get(&self, key: impl Into<Key>) -> impl Future<Output = Result<Option<Value>, Error>> + Send {
        let (attempt, key) = (Arc::clone(&self.attempt), key.into());
        async move { Ok(attempt.get(&[key]).await?.pop().flatten()) }
    }

    /// The values of several keys, in their order, read in one request.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_all<K: Into<Key>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> impl Future<Output = Result<Vec<Option<Value>>, Error>> + Send {
        let attempt = Arc::clone(&self.attempt);
        let keys: Vec<Key> = keys.into_iter().map(Into::into).collect();
        async move { attempt.get(&keys).await }
    }

    /// The pairs whose keys begin with `prefix`, in the order of their keys, with what this transaction did to them.
    ///
    /// A key that others create under the prefix is a conflict, as one that they change or delete is.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_prefix(
        &self,
        prefix: impl Into<Key>,
    ) -> impl Future<Output = Result<Vec<(Key, Value)>, Error>> + Send {
        self.get_range(KeyRange::prefix(prefix))
    }

    /// The pairs of a range, in the order of their keys: see [`get_prefix`](Self::get_prefix).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_range(
        &self,
        range: KeyRange,
    ) -> impl Future<Output = Result<Vec<(Key, Value)>, Error>> + Send + use<> {
        let attempt = Arc::clone(&self.attempt);
        async move { attempt.range(range).await }
    }

    /// The revision that last changed a key, as it was read, whatever this transaction writes; zero when there was no such key.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn revision(&self, key: impl Into<Key>) -> impl Future<Output = Result<Revision, Error>> + Send {
        let (attempt, key) = (Arc::clone(&self.attempt), key.into());
        async move { attempt.revision(key).await }
    }

    /// Writes a value when the transaction is committed.
    pub fn put(&self, key: impl Into<Key>, value: impl Into<Value>) {
        self.attempt.put(Put::new(key, value));
    }

    /// Writes a value with options, such as a lease.
    pub fn put_with(&self, put: Put) {
        self.attempt.put(put);
    }

    /// Deletes a key when the transaction is committed.
    pub fn delete(&self, key: impl Into<Key>) {
        self.attempt.delete(key.into());
    }
}
