//! Keys that live at most as long as the session that created them.

use std::fmt;

use etcd_client_core::{Compare, Get, Key, Revision, Value};

use super::{contender_prefix, unique_key};
use crate::{
    Error, Session,
    queue_entry::{Entered, QueueEntry},
};

/// A key that is attached to a session: it is deleted when it is dropped, and expires with the session's lease.
///
/// Dropping it deletes the key in the background. [`delete`](Self::delete) waits for the deletion and returns the result.
/// It keeps its session and its client alive.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{EphemeralKey, Session};
///
/// let session = Session::builder(&client).await?;
/// let host = EphemeralKey::create(&session, "hosts/a", "10.0.0.1").await?;
/// host.put("10.0.0.2").await?;
/// host.delete().await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "EphemeralKV")]
#[must_use = "the key is deleted when this is dropped"]
pub struct EphemeralKey {
    entry: QueueEntry,
}

impl EphemeralKey {
    /// Creates `key`, which must not exist. A key that is already attached to the session's lease is taken over.
    ///
    /// # Errors
    ///
    /// Returns [`Error::KeyExists`] if the key exists or another task of this session uses it, [`Error::SessionExpired`] if the
    /// session has ended, [`Error::CapacityExceeded`] if the session has its maximum number of entries, or the client's error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind: see [`Session`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::EphemeralKey;
    ///
    /// let host = EphemeralKey::create(&session, "hosts/a", "10.0.0.1").await?;
    /// # drop(host);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewEphemeralKV")]
    pub async fn create(
        session: &Session,
        key: impl Into<Key> + Send,
        value: impl Into<Value> + Send,
    ) -> Result<Self, Error> {
        let (key, value) = (key.into(), value.into());
        // The lease distinguishes this session's key from other sessions' keys, the slot from those of other tasks.
        let slot = session.try_slot(&key).ok_or(Error::KeyExists)?;
        let mut entry = QueueEntry::new(session, key.clone(), Some(slot))?;
        match entry.enter(value.clone(), Get::new(key).keys_only()).await? {
            Entered::Found(kv) if kv.value != value.as_bytes() => entry.put(value).await?,
            _ => {}
        }
        Ok(Self { entry })
    }

    /// Creates a unique key `prefix/<lease>-<random>`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`create`](Self::create).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves no key behind: see [`Session`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::EphemeralKey;
    ///
    /// let worker = EphemeralKey::create_unique(&session, "workers", "ready").await?;
    /// println!("registered as {:?}", worker.key());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewUniqueEphemeralKV")]
    pub async fn create_unique(
        session: &Session,
        prefix: impl Into<Key> + Send,
        value: impl Into<Value> + Send,
    ) -> Result<Self, Error> {
        let key = unique_key(&contender_prefix(prefix), session.lease());
        Self::create(session, key, value).await
    }

    /// Returns the key.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(host: etcd_concurrency::EphemeralKey) {
    /// println!("registered as {:?}", host.key());
    /// # }
    /// ```
    pub fn key(&self) -> &Key {
        self.entry.key()
    }

    /// Returns the revision that created the key.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(host: etcd_concurrency::EphemeralKey) {
    /// println!("registered at revision {}", host.create_revision());
    /// # }
    /// ```
    pub fn create_revision(&self) -> Revision {
        self.entry.fence()
    }

    /// Returns a condition that holds while the key is the one that was created.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, Put};
    /// # async fn example(client: Client, host: etcd_concurrency::EphemeralKey) -> Result<(), etcd_concurrency::Error> {
    /// let txn = client.txn().when(host.owned()).then(Put::new("hosts/a/status", "up")).await?;
    /// println!("still registered: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    pub fn owned(&self) -> Compare {
        self.entry.owned()
    }

    /// Replaces the value.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotOwner`] if the key was deleted or created again, [`Error::SessionExpired`] if the session has ended,
    /// or the client's error. Its outcome shows whether the value may have been written.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the value may or may not be written. It never replaces the value of a later put.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(host: etcd_concurrency::EphemeralKey) -> Result<(), etcd_concurrency::Error> {
    /// host.put("10.0.0.2").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put(&self, value: impl Into<Value> + Send) -> Result<(), Error> {
        let value = value.into();
        self.entry.put(value).await
    }

    /// Deletes the key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotOwner`] if the key was deleted or created again before, [`Error::SessionExpired`] if the session has
    /// ended, or the client's error.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped or fails, the session deletes the key in the background.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(host: etcd_concurrency::EphemeralKey) -> Result<(), etcd_concurrency::Error> {
    /// host.delete().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(self) -> Result<(), Error> {
        self.entry.leave().await
    }
}

impl fmt::Debug for EphemeralKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let created = self.create_revision();
        f.debug_struct("EphemeralKey")
            .field("key", self.key())
            .field("create_revision", &created)
            .finish_non_exhaustive()
    }
}
