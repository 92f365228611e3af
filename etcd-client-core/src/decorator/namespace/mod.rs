//! Namespace: all keys under a prefix that the user of the service does not see.

mod answers;
mod election;
mod kv;
mod lease;
mod lock;
mod ops;
mod prefix;
#[cfg(test)]
mod tests;
mod watch;

use prefix::Prefix;

use crate::model::Key;

/// A service whose keys live under a prefix: the prefix is put before the keys of each operation, and taken off those of each
/// answer and event. Wraps any [`Kv`](crate::Kv), [`Lease`](crate::Lease), [`Watch`](crate::Watch),
/// [`LockService`](crate::LockService) or [`ElectionService`](crate::ElectionService), and is one itself.
///
/// All keys, and ranges without an upper end, mean those of the namespace. A key that is just the prefix is not among them. Leases
/// and revisions, and with them a [`Compact`](crate::Compact), are the store's own: a namespace does not divide them. Of a lease's
/// keys those outside of the namespace are left out.
///
/// An answer with a key outside of the namespace, which no etcd gives, is a
/// [`Protocol`](etcd_errors::ErrorKind::Protocol) error.
///
/// [`ClientBuilder::namespace`](crate::ClientBuilder::namespace) and [`Client::with_namespace`](crate::Client::with_namespace)
/// make clients of it; by itself it is for services of your own:
///
/// ```
/// use etcd_client_core::{Error, Kv, Namespace, Put};
///
/// async fn limit(kv: impl Kv) -> Result<(), Error> {
///     let kv = Namespace::new(kv, "prod/");
///     Put::new("limit", "10").bind(&kv).await?; // writes prod/limit
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Namespace<S> {
    inner: S,
    prefix: Prefix,
}

impl<S> Namespace<S> {
    /// Puts the keys of `inner` under `prefix`. An empty prefix changes nothing.
    pub fn new(inner: S, prefix: impl Into<Key>) -> Self {
        Self { inner, prefix: Prefix::new(prefix.into()) }
    }

    /// What the keys are put under.
    pub fn prefix(&self) -> &Key {
        self.prefix.key()
    }

    /// The service inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}
