//! Keys that are created once, that nobody else has, or that live as long as a session.

use std::fmt;

use etcd_client_core::{Compare, Key, Put, Revision, Txn, Value};

use crate::{
    Error, Session, Store,
    acquire::{below, unique_key},
    place::{Entered, Place},
};

/// A key that a session created and that lives as long as the session, at most: Go's `EphemeralKV`.
///
/// Dropping it deletes the key in the background, [`delete`](Self::delete) does so and says how it went.
///
/// It keeps its session and its client alive.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{EphemeralKey, Session};
///
/// let session = Session::builder(&client).await?;
/// let here = EphemeralKey::create(&session, "hosts/a", "10.0.0.1").await?;
/// here.put("10.0.0.2").await?;
/// here.delete().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the key is deleted when this is dropped"]
pub struct EphemeralKey {
    place: Place,
}

impl EphemeralKey {
    /// Creates `key`, which must not exist. One that the session's lease has already is taken over.
    ///
    /// Dropping the future leaves no key: see [`Session`].
    ///
    /// # Errors
    /// [`Error::KeyExists`], [`Error::Expired`], [`Error::Full`], or the client's.
    pub async fn create(
        session: &Session,
        key: impl Into<Key> + Send,
        value: impl Into<Value> + Send,
    ) -> Result<Self, Error> {
        let (key, value) = (key.into(), value.into());
        // The lease tells our key from another's, and the slot ours from that of another task.
        let slot = session.try_slot(&key).ok_or(Error::KeyExists)?;
        let mut place = Place::new(session, key.clone(), Some(slot))?;
        match place.enter(value.clone(), etcd_client_core::Get::new(key).keys_only()).await? {
            Entered::Found(kv) if kv.value != value.as_bytes() => place.put(value).await?,
            _ => {}
        }
        Ok(Self { place })
    }

    /// Creates a key below `prefix` that nobody else has: `prefix/<lease>-<random>`.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn create_unique(
        session: &Session,
        prefix: impl Into<Key> + Send,
        value: impl Into<Value> + Send,
    ) -> Result<Self, Error> {
        let key = unique_key(&crate::contender_prefix(prefix), session.lease());
        Self::create(session, key, value).await
    }

    /// The key.
    pub fn key(&self) -> &Key {
        self.place.key()
    }

    /// The revision that created it.
    pub fn create_revision(&self) -> Revision {
        self.place.fence()
    }

    /// Holds while the key is the one that was created.
    pub fn owned(&self) -> Compare {
        self.place.owned()
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// [`Error::NotOwner`] when the key is not the one that was created any more, [`Error::Expired`], or the client's.
    pub async fn put(&self, value: impl Into<Value> + Send) -> Result<(), Error> {
        let value = value.into();
        self.place.put(value).await
    }

    /// Deletes the key.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn delete(self) -> Result<(), Error> {
        self.place.leave().await
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

/// Creates a key that must not exist, and says at which revision. It has no lease: it stays.
///
/// # Errors
/// [`Error::KeyExists`], or the client's, whose outcome says whether the key may have been created.
pub async fn create_key(
    store: impl Into<Store>,
    key: impl Into<Key>,
    value: impl Into<Value>,
) -> Result<Revision, Error> {
    let (store, key, value) = (store.into(), key.into(), value.into());
    let txn = Txn::new().when(Compare::missing(&key)).then(Put::new(&key, value));
    let response = txn.bind(store.kv()).await?;
    if response.succeeded() { Ok(response.header.revision) } else { Err(Error::KeyExists) }
}

/// Creates a key below `prefix` that nobody else has, `prefix/<random>`: Go's `UniqueKV`. It has no lease: it stays.
///
/// The key is created at most once: after a lost answer nothing is sent again, because the first copy may be applied, and its
/// key be gone, before the second one arrives.
///
/// # Errors
/// The client's, whose outcome says whether the key may have been created, or may still be.
pub async fn create_unique_key(
    store: impl Into<Store>,
    prefix: impl Into<Key>,
    value: impl Into<Value>,
) -> Result<(Key, Revision), Error> {
    let key = random_key(&crate::contender_prefix(prefix));
    let revision = create_key(store, &key, value).await?;
    Ok((key, revision))
}

/// A key below `prefix` that nobody else has, without a lease in its name.
pub(crate) fn random_key(prefix: &Key) -> Key {
    below(prefix, &format!("{:032x}", fastrand::u128(..)))
}
