//! The handles that the work gets.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use etcd_client_core::{Compare, Key, Revision, Value};

use crate::{Error, Guard, election::Leadership};

/// The data with which the work of [`run_with_lock`](crate::run_with_lock) guards its writes.
///
/// It does not keep the lock.
#[derive(Clone)]
pub struct Holder {
    key: Key,
    fence: Revision,
    owned: Compare,
}

impl Holder {
    pub(super) fn new(guard: &Guard) -> Self {
        Self { key: guard.key().clone(), fence: guard.fence(), owned: guard.owned() }
    }

    /// Returns the fence: the revision that created the holder's key. Every later holder has a higher fence.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(holder: etcd_concurrency::run::Holder) {
    /// println!("send fence {} with every write to the other store", holder.fence());
    /// # }
    /// ```
    pub fn fence(&self) -> Revision {
        self.fence
    }

    /// Returns the key that holds the lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(holder: etcd_concurrency::run::Holder) {
    /// println!("held with {:?}", holder.key());
    /// # }
    /// ```
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns a condition that holds while the lock is held. Use it in every transaction that requires the lock.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, Put};
    /// # async fn example(client: Client, holder: etcd_concurrency::run::Holder) -> Result<(), etcd_client_core::Error> {
    /// let txn = client.txn().when(holder.owned()).then(Put::new("result", "42")).await?;
    /// println!("applied: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    pub fn owned(&self) -> Compare {
        self.owned.clone()
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder").field("key", &self.key).field("fence", &self.fence).finish_non_exhaustive()
    }
}

/// The handle with which the work of [`run_as_leader`](crate::run_as_leader) guards its writes and proclaims values.
///
/// It does not keep the leadership.
#[derive(Clone)]
pub struct Leading {
    holder: Holder,
    leadership: Weak<Leadership>,
}

impl Leading {
    pub(super) fn new(leadership: &Arc<Leadership>) -> Self {
        Self { holder: Holder::new(leadership.guard()), leadership: Arc::downgrade(leadership) }
    }

    /// Replaces the value that observers see.
    ///
    /// # Errors
    ///
    /// Those of [`Leadership::proclaim`](crate::election::Leadership::proclaim), and [`Error::NotOwner`] after the work has ended.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the value may or may not be published.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leading: etcd_concurrency::run::Leading) -> Result<(), etcd_concurrency::Error> {
    /// leading.proclaim("host-1, ready").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn proclaim(&self, value: impl Into<Value> + Send) -> Result<(), Error> {
        let leadership = self.leadership.upgrade().ok_or(Error::NotOwner)?;
        leadership.proclaim(value).await
    }

    /// Returns the fence: the revision that created the leader's key. Every later leader has a higher fence.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(leading: etcd_concurrency::run::Leading) {
    /// println!("send fence {} with every write to the other store", leading.fence());
    /// # }
    /// ```
    pub fn fence(&self) -> Revision {
        self.holder.fence()
    }

    /// Returns the leader's key.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(leading: etcd_concurrency::run::Leading) {
    /// println!("elected with {:?}", leading.key());
    /// # }
    /// ```
    pub fn key(&self) -> &Key {
        self.holder.key()
    }

    /// Returns a condition that holds while the leadership does. Use it in every transaction that only the leader may make.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use etcd_client_core::{Client, Put};
    /// # async fn example(client: Client, leading: etcd_concurrency::run::Leading) -> Result<(), etcd_client_core::Error> {
    /// let txn = client.txn().when(leading.owned()).then(Put::new("plan", "...")).await?;
    /// println!("applied: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    pub fn owned(&self) -> Compare {
        self.holder.owned()
    }
}

impl fmt::Debug for Leading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leading")
            .field("key", self.key())
            .field("fence", &self.fence())
            .finish_non_exhaustive()
    }
}
