//! The operations on keys: get, put, delete, transactions, compaction and watches.

use etcd_errors::Error;

use crate::{
    client::Client,
    kv::{Compact, Delete, Get, KvService, Put},
    request::{Bound, CallOptions},
    txn::{Op, OpResponse, Txn},
    types::{Key, Revision, Value},
    watch::{Watch, WatchService},
};

impl Client {
    /// Reads one key or, with [`prefix`](Get::prefix), [`range_end`](Get::range_end), [`from_key`](Get::from_key) or
    /// [`all_keys`](Get::all_keys), a range of keys.
    ///
    /// The read is linearizable unless [`serializable`](Get::serializable) is set. A missing key is not an error: the response has no
    /// pairs. To read a long range page by page, use [`pages`](Get::pages).
    ///
    /// # Errors
    ///
    /// [`Code::Compacted`](crate::Code::Compacted) or [`Code::FutureRev`](crate::Code::FutureRev) if a
    /// [`revision`](Get::revision) is set that cannot be read.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let found = client.get("config/limit").await?;
    /// if let Some(kv) = found.first() {
    ///     println!("{:?} at revision {}", kv.value_str(), kv.mod_revision);
    /// }
    ///
    /// let all = client.get("config/").prefix().keys_only().await?;
    /// println!("{} keys", all.count);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Range")]
    #[doc(alias = "range")]
    pub fn get(&self, key: impl Into<Key>) -> Get<Bound<'_, dyn KvService>> {
        Get::new(key).bind(self.kv())
    }

    /// Writes one key.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the key is empty or the request exceeds the [limits](crate::request::Limits).
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) if the [`lease`](Put::lease) does not exist.
    /// [`Code::NoSpace`](crate::Code::NoSpace) if the database has reached its quota. [`Error::outcome`] states whether the write may
    /// have been applied.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown. The write is applied at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.put("config/limit", "10").await?;
    /// let replaced = client.put("config/limit", "20").prev_kv().await?;
    /// println!("before: {:?}", replaced.prev_kv);
    /// # Ok(())
    /// # }
    /// ```
    pub fn put(&self, key: impl Into<Key>, value: impl Into<Value>) -> Put<Bound<'_, dyn KvService>> {
        Put::new(key, value).bind(self.kv())
    }

    /// Deletes one key or, with [`prefix`](Delete::prefix) or another range setter, a range of keys.
    ///
    /// Deleting a missing key is not an error: the response counts zero deleted keys.
    ///
    /// # Errors
    ///
    /// Returns the errors of any write; see [`ErrorKind`](crate::ErrorKind). [`Error::outcome`] states whether the keys may have been
    /// deleted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let response = client.delete("config/").prefix().await?;
    /// println!("{} keys deleted", response.deleted);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DeleteRange")]
    #[doc(alias = "delete_range")]
    pub fn delete(&self, key: impl Into<Key>) -> Delete<Bound<'_, dyn KvService>> {
        Delete::new(key).bind(self.kv())
    }

    /// Starts a transaction: compares keys, then executes one of two lists of operations atomically, at one revision.
    ///
    /// Use it for compare-and-swap. See [`Compare`](crate::txn::Compare) for what can be compared.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if an operation is invalid, if there are more operations than the
    /// [limits](crate::request::Limits) allow, or if one branch writes a key twice. Comparisons that do not hold are not an error: the `or_else`
    /// branch is executed and [`succeeded`](crate::txn::TxnResponse::succeeded) returns `false`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown. The transaction is applied at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Compare, Get, Put};
    ///
    /// let txn = client
    ///     .txn()
    ///     .when(Compare::value("config/limit").equal("10"))
    ///     .then(Put::new("config/limit", "20"))
    ///     .or_else(Get::new("config/limit"))
    ///     .await?;
    /// println!("swapped: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "transaction")]
    #[doc(alias = "cas")]
    #[doc(alias = "compare_and_swap")]
    #[doc(alias = "compare_and_set")]
    pub fn txn(&self) -> Txn<Bound<'_, dyn KvService>> {
        Txn::new().bind(self.kv())
    }

    /// Discards the history of the store before `revision`.
    ///
    /// Reads and watches of earlier revisions fail from then on. With [`physical`](Compact::physical) the call waits until the history is
    /// removed from the member's database.
    ///
    /// # Errors
    ///
    /// [`Code::Compacted`](crate::Code::Compacted) if the store is compacted at this revision or a later one already.
    /// [`Code::FutureRev`](crate::Code::FutureRev) if the store has not reached the revision.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let revision = client.get("config/limit").await?.header.revision;
    /// client.compact(revision).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn compact(&self, revision: impl Into<Revision>) -> Compact<Bound<'_, dyn KvService>> {
        Compact::new(revision).bind(self.kv())
    }

    /// Executes an operation that is chosen at run time, with the default options of the client.
    ///
    /// Use [`execute`](crate::txn::execute()) to set the options of the call.
    ///
    /// # Errors
    ///
    /// Returns the errors of the operation.
    ///
    /// # Cancel safety
    ///
    /// The same as for the operation itself: dropping a write in flight leaves its outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Get, Put};
    /// use etcd_client_core::txn::{Op, OpResponse};
    ///
    /// for op in [Op::from(Put::new("greeting", "hello")), Get::new("greeting").into()] {
    ///     if let OpResponse::Get(found) = client.execute(op).await? {
    ///         println!("{} pairs", found.kvs.len());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Do")]
    pub async fn execute(&self, op: impl Into<Op>) -> Result<OpResponse, Error> {
        crate::txn::execute(self.kv(), op, CallOptions::default()).await
    }

    /// Watches one key or, with [`prefix`](Watch::prefix), [`range_end`](Watch::range_end),
    /// [`from_key`](Watch::from_key) or [`all_keys`](Watch::all_keys), a range of keys.
    ///
    /// The watch starts now, or at an earlier revision with [`start_revision`](Watch::start_revision). It resumes after the loss of a
    /// member or a connection, without missing or repeating an event.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the watch is invalid. [`Code::Compacted`](crate::Code::Compacted), as
    /// the last item of the watch, if events it still needs were compacted: list the range again, or use
    /// [`resync`](Watch::resync) or a [`Cache`](crate::cache::Cache).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the creation of the watch.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut watch = client.watch("config/").prefix().await?;
    /// while let Some(response) = watch.next().await {
    ///     for event in response?.events {
    ///         println!("{:?} {:?}", event.event_type, event.kv.key_str());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Watcher")]
    #[doc(alias = "NewWatcher")]
    #[doc(alias = "subscribe")]
    pub fn watch(&self, key: impl Into<Key>) -> Watch<Bound<'_, dyn WatchService>> {
        Watch::new(key).bind(self.watch_service())
    }
}
