//! Services whose keys are all under a prefix that their users do not see.
//!
//! [`Client::with_namespace`](crate::Client::with_namespace) applies a namespace to a client, [`Namespace`] to any service.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! let prod = client.with_namespace("prod/");
//! prod.put("limit", "10").await?; // writes prod/limit
//! # Ok(())
//! # }
//! ```

pub(crate) mod prefix;
pub(crate) mod services;
#[cfg(test)]
mod tests;

use crate::{namespace::prefix::Prefix, types::Key};

/// A service whose keys are stored under a prefix.
///
/// The prefix is prepended to the keys of each operation, and removed from the keys of each response and event. A namespace wraps any
/// [`KvService`](crate::kv::KvService), [`LeaseService`](crate::lease::LeaseService), [`WatchService`](crate::watch::WatchService), [`LockService`](crate::lock::LockService) or
/// [`ElectionService`](crate::election::ElectionService), and implements the same trait.
///
/// Ranges of all keys, and ranges without an upper end, cover the keys of the namespace only. A key equal to the prefix is not part of the
/// namespace. Leases and revisions are shared with the whole store, so a [`Compact`](crate::kv::Compact) affects all of it. The keys of a
/// lease outside of the namespace are omitted.
///
/// A response with a key outside of the namespace, which etcd never sends, is a [`Protocol`](etcd_errors::ErrorKind::Protocol)
/// error.
///
/// [`ClientBuilder::namespace`](crate::client::ClientBuilder::namespace) and [`Client::with_namespace`](crate::client::Client::with_namespace)
/// return clients with a namespace. Use this type directly for other services.
///
/// # Examples
///
/// ```
/// use etcd_client_core::{Error, Namespace, Put};
/// use etcd_client_core::kv::KvService;
///
/// async fn limit(kv: impl KvService) -> Result<(), Error> {
///     let kv = Namespace::new(kv, "prod/");
///     Put::new("limit", "10").bind(&kv).await?; // writes prod/limit
///     Ok(())
/// }
/// ```
#[doc(alias = "NewKV")]
#[doc(alias = "NewLease")]
#[doc(alias = "NewWatcher")]
#[doc(alias = "KvClientPrefix")]
#[derive(Clone, Debug)]
pub struct Namespace<S> {
    inner: S,
    prefix: Prefix,
}

impl<S> Namespace<S> {
    /// Wraps `inner` so that its keys are stored under `prefix`. An empty prefix changes nothing.
    pub fn new(inner: S, prefix: impl Into<Key>) -> Self {
        Self { inner, prefix: Prefix::new(prefix.into()) }
    }

    /// Returns the prefix.
    pub fn prefix(&self) -> &Key {
        self.prefix.key()
    }

    /// Returns the wrapped service.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}
