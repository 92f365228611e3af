//! The handle through which a transaction reads and writes.

use std::sync::Arc;

use etcd_client_core::{Key, Put, Revision, Value, types::KeyRange};

use super::attempt::Attempt;
use crate::Error;

/// The handle through which the function of a transaction reads and writes.
///
/// Clones belong to the same attempt. After the attempt has finished, reads fail with
/// [`Error::TxnFinished`] and writes are ignored.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Error, Stm, stm::Tx};
///
/// async fn increment(tx: &Tx, key: &str) -> Result<u64, Error> {
///     let stored = tx.get(key).await?;
///     let count = stored.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0) + 1;
///     tx.put(key, count.to_string());
///     Ok(count)
/// }
///
/// let counted = Stm::new(&client).run(|tx| async move { increment(&tx, "visits").await }).await?;
/// println!("visit {}", counted.value);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "STM")]
#[derive(Clone, Debug)]
pub struct Tx {
    attempt: Arc<Attempt>,
}

impl Tx {
    pub(super) fn new(attempt: &Arc<Attempt>) -> Self {
        Self { attempt: Arc::clone(attempt) }
    }

    /// Returns the value of a key, or `None` if the key does not exist.
    ///
    /// The value is the one that this transaction put, or else the one that its first read of the key returned.
    ///
    /// # Errors
    ///
    /// Returns the client's error. The attempt has then failed: [`Stm::run`](super::Stm::run) returns the error even if the
    /// function ignores it. Returns [`Error::TxnFinished`] if the attempt has finished.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(tx: etcd_concurrency::stm::Tx) -> Result<(), etcd_concurrency::Error> {
    /// let limit = tx.get("limit").await?;
    /// println!("{limit:?}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, key: impl Into<Key>) -> impl Future<Output = Result<Option<Value>, Error>> + Send {
        let (attempt, key) = (Arc::clone(&self.attempt), key.into());
        async move { Ok(attempt.get(&[key]).await?.pop().flatten()) }
    }

    /// Returns the values of several keys in their order, with one request.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(tx: etcd_concurrency::stm::Tx) -> Result<(), etcd_concurrency::Error> {
    /// let values = tx.get_all(["accounts/a", "accounts/b"]).await?;
    /// assert_eq!(values.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_all<K: Into<Key>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> impl Future<Output = Result<Vec<Option<Value>>, Error>> + Send {
        let attempt = Arc::clone(&self.attempt);
        let keys: Vec<Key> = keys.into_iter().map(Into::into).collect();
        async move { attempt.get(&keys).await }
    }

    /// Returns the pairs whose keys start with `prefix`, in key order, including this transaction's own writes.
    ///
    /// If another writer creates, changes or deletes a key with the prefix, the transaction conflicts.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(tx: etcd_concurrency::stm::Tx) -> Result<(), etcd_concurrency::Error> {
    /// for (account, balance) in tx.get_prefix("accounts/").await? {
    ///     println!("{account:?}: {balance:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_prefix(
        &self,
        prefix: impl Into<Key>,
    ) -> impl Future<Output = Result<Vec<(Key, Value)>, Error>> + Send {
        self.get_range(KeyRange::prefix(prefix))
    }

    /// Returns the pairs of a range, in key order: see [`get_prefix`](Self::get_prefix).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(tx: etcd_concurrency::stm::Tx) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let from_b = tx.get_range(KeyRange::from_key("b")).await?;
    /// println!("{} pairs", from_b.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_range(
        &self,
        range: KeyRange,
    ) -> impl Future<Output = Result<Vec<(Key, Value)>, Error>> + Send + use<> {
        let attempt = Arc::clone(&self.attempt);
        async move { attempt.range(range).await }
    }

    /// Returns the mod revision of a key as it was read, or zero if the key did not exist. Writes of this transaction do not
    /// change it.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(tx: etcd_concurrency::stm::Tx) -> Result<(), etcd_concurrency::Error> {
    /// println!("last changed at revision {}", tx.revision("limit").await?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Rev")]
    pub fn revision(&self, key: impl Into<Key>) -> impl Future<Output = Result<Revision, Error>> + Send {
        let (attempt, key) = (Arc::clone(&self.attempt), key.into());
        async move { attempt.revision(key).await }
    }

    /// Puts a value when the transaction is committed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(tx: etcd_concurrency::stm::Tx) {
    /// tx.put("limit", "20");
    /// # }
    /// ```
    pub fn put(&self, key: impl Into<Key>, value: impl Into<Value>) {
        self.attempt.put(Put::new(key, value));
    }

    /// Puts a value with options, such as a lease, when the transaction is committed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(tx: etcd_concurrency::stm::Tx, session: etcd_concurrency::Session) {
    /// use etcd_client_core::Put;
    ///
    /// tx.put_with(Put::new("hosts/a", "up").lease(session.lease()));
    /// # }
    /// ```
    pub fn put_with(&self, put: Put) {
        self.attempt.put(put);
    }

    /// Deletes a key when the transaction is committed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(tx: etcd_concurrency::stm::Tx) {
    /// tx.delete("limit");
    /// # }
    /// ```
    #[doc(alias = "Del")]
    pub fn delete(&self, key: impl Into<Key>) {
        self.attempt.delete(key.into());
    }
}
