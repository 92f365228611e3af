//! The methods of a client that change one key with compare-and-swap.

use crate::{
    client::Client,
    types::{Key, KeyValue, Value},
    update::{Next, Update, run::Services},
};

impl Client {
    /// Changes one key with compare-and-swap: reads it, passes it to `next`, and writes what `next` returns if the key has not changed
    /// since.
    ///
    /// `next` gets `None` if the key does not exist. It returns the new value, or a [`Next`] to delete the key, to keep it, or to end with
    /// an error. After a conflict it is called again with the current value, so it must not have side effects. The response has the key
    /// before and after the update.
    ///
    /// If the response to a write is lost, the update determines whether it was applied. The module [`update`](crate::update) describes
    /// how, and what it costs.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if other clients changed the key during each of
    ///   [`max_attempts`](Update::max_attempts). [`Conflict`](crate::update::Conflict) has the key as it was found last.
    /// - The error of [`Next::Abort`], unchanged except for its operation.
    /// - Those of a [`txn`](Self::txn). The outcome is unknown only if the key and the marker could not be read in time.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the last attempt may or may not be applied, at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::KeyValue;
    ///
    /// let append = |log: Option<&KeyValue>| {
    ///     let text = log.and_then(|kv| kv.value_str().ok()).unwrap_or_default();
    ///     format!("{text}started\n")
    /// };
    /// let updated = client.update("log", append).await?;
    /// println!("written at revision {}", updated.revision);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "compare_and_swap")]
    #[doc(alias = "read_modify_write")]
    pub fn update<'a, N: Into<Next>>(
        &'a self,
        key: impl Into<Key>,
        next: impl FnMut(Option<&KeyValue>) -> N + Send + 'a,
    ) -> Update<'a> {
        self.updates().update(key.into(), next)
    }

    /// Writes one key only if it does not exist. [`changed`](field@crate::update::Updated::changed) states whether it was written.
    ///
    /// If the key exists, [`current`](crate::update::Updated::current) is what was found. See [`update`](Self::update) for how a lost
    /// response is handled.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the key may or may not be created, at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let created = client.create("config/limit", "10").await?;
    /// if !created.changed {
    ///     println!("it exists: {:?}", created.current);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "put_if_absent")]
    #[doc(alias = "insert")]
    pub fn create(&self, key: impl Into<Key>, value: impl Into<Value>) -> Update<'_> {
        self.updates().create(key.into(), value.into())
    }

    /// Deletes one key if it exists and `condition` holds for it. [`changed`](field@crate::update::Updated::changed) states whether it was
    /// deleted, and [`previous`](crate::update::Updated::previous) is what was found.
    ///
    /// See [`update`](Self::update) for how a lost response is handled. While the database is full, this call fails with
    /// [`Code::NoSpace`](crate::Code::NoSpace), because it also writes a marker; use a [`txn`](Self::txn) instead.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the key may or may not be deleted, at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let deleted = client.delete_if("workers/7", |kv| kv.value == "idle").await?;
    /// println!("deleted: {}", deleted.changed);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "compare_and_delete")]
    pub fn delete_if<'a>(
        &'a self,
        key: impl Into<Key>,
        condition: impl FnMut(&KeyValue) -> bool + Send + 'a,
    ) -> Update<'a> {
        self.updates().delete_if(key.into(), condition)
    }

    /// Writes one key and returns what it replaced, in [`previous`](crate::update::Updated::previous).
    ///
    /// A [`put`](Self::put) with [`prev_kv`](crate::Put::prev_kv) needs one request instead of two. It does not return the previous value if its
    /// response is lost; this call does. See [`update`](Self::update) for how a lost response is handled.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the value may or may not be written, at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let swapped = client.swap("config/limit", "20").await?;
    /// println!("before: {:?}", swapped.previous);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_and_set")]
    pub fn swap(&self, key: impl Into<Key>, value: impl Into<Value>) -> Update<'_> {
        self.updates().swap(key.into(), value.into())
    }

    fn updates(&self) -> Services<'_> {
        Services { kv: self.kv(), leases: self.lease_service(), markers: &self.shared.markers }
    }
}
