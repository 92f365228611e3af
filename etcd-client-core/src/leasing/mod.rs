//! A write-through cache of owned keys, which serves linearizable reads from memory.
//!
//! A [`Leasing`] handle is a [`KvService`] over other services. The first get of a key acquires its *ownership*: a key
//! below a prefix, attached to the lease of the handle. Later gets of the key are served from memory, also while no
//! member is reachable, until the ownership ends. Use it for keys that are read often and written rarely.
//!
//! The protocol and its keys are those of Go's `client/v3/leasing`, so programs in Go and in Rust can share a prefix.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::leasing::Leasing;
//!
//! let leasing = Leasing::builder(client, "leasing/").start()?;
//! leasing.ready().await?;
//! leasing.get("config/limit").await?; // from a member; acquires the key
//! leasing.get("config/limit").await?; // from memory
//! leasing.put("config/limit", "20").await?; // to a member, and into memory
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! A get without [`serializable`](crate::Get::serializable) is linearizable, as it is without a cache, under three
//! conditions:
//!
//! 1. Every write to the keys goes through a leasing handle with the same prefix, in Go or in Rust.
//! 2. The clocks of this process and of the leader advance at the same speed.
//! 3. No client deletes ownership keys or revokes the lease of a handle, and no backup is restored. A Go client may delete
//!    the ownership key of another owner if the history of its own watch was compacted (`monitorLease` in
//!    client/v3/leasing/kv.go, v3.7.3).
//!
//! Under these conditions a delayed watch never causes a stale read, because it is not what keeps the cache current:
//!
//! - A writer changes an owned key only after its ownership key is gone. The owner evicts the key before it deletes its
//!   ownership key. A slow watch of the owner delays the writer, not the cache.
//! - The cache is dropped when the lease may have expired by the client's own clock, counted from when the last renewal
//!   was *sent* ([`LeaseKeeper::deadline`](crate::lease::LeaseKeeper::deadline)). The server expires it later. This clock
//!   includes the time during which a machine was suspended, where the operating system reports it. Go counts from when
//!   the response *arrived* and checks twice a second.
//! - A get waits for the writes through this handle that were in flight when it began.
//! - If the outcome of a write is unknown, or its future was dropped, the key is evicted and its ownership given up. A late
//!   copy of the write cannot change the key after that, because each write requires the exact ownership that it began
//!   with. Go compares less strictly, and its owner can cache a value that a late copy of its own write replaces.
//!
//! If the third condition does not hold, the handle notices an ended ownership by its watch, and an ended lease by its
//! next renewal. Reads may be stale until then. After a write around the protocol, they are stale until the ownership ends.
//!
//! # Requests
//!
//! | request | served |
//! |---|---|
//! | a get of one owned key at the current revision | from memory, with all options |
//! | a get of one other key | by a member; acquires the key, unless the get is serializable |
//! | a get of a range, of an earlier revision, or with a chosen endpoint | by a member |
//! | a transaction that only reads owned keys | from memory |
//! | any other transaction that only reads | by a member |
//! | a write to owned keys | by a member in one request; the cache is updated by the response |
//! | a write to keys of other owners | by a member, after the owners have released the keys |
//!
//! A response from memory has the header of the response that the pair is from. Its revision is not that of the store.
//!
//! A key that has a lease is not acquired, because its lease may delete it at any time. Neither is a key that was given up
//! in the last 2 s, so that other clients can write to it.
//!
//! A transaction that may write n keys and ranges is nested in one with a condition for each. Its operations and
//! conditions then have a limit that is lower by n + 1 than that of the member (128 by default).
//!
//! Without a lease, for example while no member is reachable, all requests go to the members. Go blocks writes until it
//! has a lease.

mod builder;
mod deadline;
mod keys;
mod ownership;
mod service;
mod session;
mod shared;
mod state;
mod write;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use etcd_errors::Error;
use tokio_util::sync::DropGuard;

pub use self::builder::LeasingBuilder;
use self::shared::{SessionStatus, Shared};
use crate::{
    kv::{Delete, Get, KvService, Put},
    lease::LeaseService,
    request::Bound,
    txn::Txn,
    types::{Key, KeyRange, Value},
    watch::WatchService,
};

/// A [`KvService`] that owns the keys it reads, and serves them from memory.
///
/// The [module](self) describes the guarantees. Clones share the cache and its lease. When the last clone is dropped, the
/// lease is revoked in the background.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::leasing::Leasing;
///
/// let leasing = Leasing::builder(client, "leasing/").start()?;
/// leasing.ready().await?;
/// let limit = leasing.get("config/limit").await?;
/// # let _ = limit;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "NewKV")]
#[derive(Clone)]
#[must_use = "the keys are released when the last handle is dropped"]
pub struct Leasing {
    shared: Arc<Shared>,
    /// Ends the background task together with the last handle.
    _open: Arc<DropGuard>,
}

/// Counters of a [`Leasing`] handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeasingCounters {
    /// The number of keys that are owned now.
    pub owned_keys: usize,
    /// The number of requests that were served from memory.
    pub cached_reads: u64,
    /// The number of times a key was acquired.
    pub acquired: u64,
    /// The number of times an ownership was given up: on request of another client, or after a write of unknown outcome.
    pub released: u64,
}

impl Leasing {
    /// Creates a builder of a handle over `service`, with its ownership keys below `prefix`.
    ///
    /// All programs that share the keys have to use the same prefix. The keys and the prefix are in the namespace of the
    /// service.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::leasing::Leasing;
    ///
    /// let leasing = Leasing::builder(client, "leasing/").ttl(Duration::from_secs(10)).start()?;
    /// # drop(leasing);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder<S>(service: S, prefix: impl Into<Key>) -> LeasingBuilder
    where
        S: KvService + WatchService + LeaseService + 'static,
    {
        LeasingBuilder::new(Arc::new(service), prefix.into())
    }

    /// Waits until the handle has a lease, and can own keys. The handle can be used before that: its requests then go to the
    /// members.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`Closed`](etcd_errors::ErrorKind::Closed) if the service or the handle is closed.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) -> Result<(), etcd_client_core::Error> {
    /// leasing.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self) -> Result<(), Error> {
        let mut status = self.shared.status.subscribe();
        let settled = status.wait_for(|status| !matches!(status, SessionStatus::Inactive(_))).await;
        match settled.as_deref() {
            Ok(SessionStatus::Ended(error)) => Err(error.clone().with_operation("leasing")),
            // The sender lives as long as this handle.
            _ => Ok(()),
        }
    }

    /// Returns the error of the last attempt to get a lease while there is none, or `None`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) {
    /// if let Some(error) = leasing.error() {
    ///     eprintln!("nothing is cached: {}", error.report());
    /// }
    /// # }
    /// ```
    pub fn error(&self) -> Option<Error> {
        match &*self.shared.status.borrow() {
            SessionStatus::Active => None,
            SessionStatus::Inactive(error) => error.clone(),
            SessionStatus::Ended(error) => Some(error.clone()),
        }
    }

    /// Returns the prefix of the ownership keys.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) {
    /// println!("ownership keys are below {:?}", leasing.prefix());
    /// # }
    /// ```
    pub fn prefix(&self) -> &Key {
        self.shared.keys.prefix()
    }

    /// Returns the counters of the handle.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) {
    /// println!("{} reads were served from memory", leasing.counters().cached_reads);
    /// # }
    /// ```
    pub fn counters(&self) -> LeasingCounters {
        self.shared.counters()
    }

    /// Reads a key or a range of keys. Awaiting the request sends it, or serves it from memory.
    ///
    /// # Errors
    ///
    /// Those of [`Client::get`](crate::Client::get).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the keys. The key may be acquired nevertheless.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) -> Result<(), etcd_client_core::Error> {
    /// let limit = leasing.get("config/limit").await?;
    /// # let _ = limit;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, key: impl Into<Key>) -> Get<Bound<'_, dyn KvService>> {
        Get::new(key).bind(self)
    }

    /// Writes a key. If another client owns the key, the write waits until it is released.
    ///
    /// # Errors
    ///
    /// - Those of [`Client::put`](crate::Client::put).
    /// - [`Timeout`](etcd_errors::ErrorKind::Timeout) with the outcome `NotApplied` if the owner did not release the key
    ///   before the timeout of the request, or by default before [`LeasingBuilder::patience`].
    /// - [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a key below the prefix of the ownership keys.
    ///
    /// # Cancel safety
    ///
    /// The outcome is unknown if the future is dropped after it was polled. The key is then evicted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) -> Result<(), etcd_client_core::Error> {
    /// leasing.put("config/limit", "20").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn put(&self, key: impl Into<Key>, value: impl Into<Value>) -> Put<Bound<'_, dyn KvService>> {
        Put::new(key, value).bind(self)
    }

    /// Deletes a key or a range of keys. If other clients own some of them, the deletion waits until they are released.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// The outcome is unknown if the future is dropped after it was polled. The keys are then evicted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) -> Result<(), etcd_client_core::Error> {
    /// leasing.delete("config/").prefix().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(&self, key: impl Into<Key>) -> Delete<Bound<'_, dyn KvService>> {
        Delete::from_range(KeyRange::one(key)).bind(self)
    }

    /// Starts a transaction. If other clients own keys that it may write, it waits until they are released.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// The outcome of a transaction that writes is unknown if the future is dropped after it was polled. The keys that it
    /// may write are then evicted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Compare, Put};
    ///
    /// let swap = leasing.txn().when(Compare::value("limit").equal("10")).then(Put::new("limit", "20")).await?;
    /// println!("swapped: {}", swap.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    pub fn txn(&self) -> Txn<Bound<'_, dyn KvService>> {
        Txn::new().bind(self)
    }

    /// Ends the session for all clones, and waits until its lease is revoked, which releases all keys.
    ///
    /// If the revocation fails or takes longer than 5 s, the lease expires by itself. Later requests of clones go to the
    /// members.
    ///
    /// # Cancel safety
    ///
    /// The session ends even if the future is dropped, provided that it was polled.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(leasing: etcd_client_core::leasing::Leasing) {
    /// leasing.close().await;
    /// # }
    /// ```
    pub async fn close(self) {
        self.shared.closing.cancel();
        self.shared.closed.cancelled().await;
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl fmt::Debug for Leasing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leasing")
            .field("prefix", self.prefix())
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
