//! The barrier that one puts up and all others wait behind.

use etcd_client_core::{Delete, Key, Revision, Value};

use crate::{EphemeralKey, Error, Session, Store, create_key, wait_deleted};

/// A barrier: while it is up, everybody waits.
///
/// **Guarantees.**
/// Whoever waits returns only when the key was seen not to exist, or deleted. Waiting is one read and one watch.
///
/// **What breaks it.**
/// [`hold`](Self::hold) leaves a key without a lease, as Go does: when the process dies, the barrier stays up.
/// [`hold_by`](Self::hold_by) ties it to a session instead.
/// A barrier that was taken down may be up again by the time a waiter runs.
///
/// **Keys.**
/// The name itself, as Go's `recipe.Barrier`: both can hold, release and wait.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::Barrier;
///
/// let barrier = Barrier::new(&client, "migration");
/// barrier.hold().await?;
/// // elsewhere: barrier.wait().await?
/// barrier.release().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Barrier {
    store: Store,
    key: Key,
}

impl Barrier {
    /// The barrier of this name.
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self { store: store.into(), key: name.into() }
    }

    /// Puts the barrier up, until somebody releases it.
    ///
    /// # Errors
    /// [`Error::KeyExists`] when it is up already, or the client's: its outcome says whether the barrier may be up.
    pub async fn hold(&self) -> Result<Revision, Error> {
        create_key(&self.store, &self.key, Value::new()).await
    }

    /// Puts the barrier up for as long as a session lives, and the key is held.
    ///
    /// # Errors
    /// As [`EphemeralKey::create`].
    pub async fn hold_by(&self, session: &Session) -> Result<EphemeralKey, Error> {
        EphemeralKey::create(session, &self.key, Value::new()).await
    }

    /// Takes the barrier down, whoever put it up.
    ///
    /// # Errors
    /// The client's: its outcome says whether the barrier may be down.
    pub async fn release(&self) -> Result<(), Error> {
        Delete::new(&self.key).bind(self.store.kv()).await?;
        Ok(())
    }

    /// Waits until the barrier is down; returns at once where it is. Outages are waited out. Cancel safe.
    ///
    /// # Errors
    /// The client's, when the key may not be read or watched.
    pub async fn wait(&self) -> Result<(), Error> {
        wait_deleted(&self.store, &self.key).await
    }
}
