//! Keys that are created once, and the names of keys in queues.
//!
//! [`EphemeralKey`] creates a key that lives at most as long as a session, for instance to register a host.
//! [`create_key`] and [`create_unique_key`] create keys without a lease, which stay until they are deleted.
//! [`contender_prefix`] and [`contender_key`] return the keys of a lock's or an election's queue, and [`names_collide`] checks
//! that the keys of two recipes do not mix.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use etcd_concurrency::{Error, keys};
//!
//! match keys::create_key(&client, "schema/version", "1").await {
//!     Ok(revision) => println!("created at revision {revision}"),
//!     Err(Error::KeyExists) => println!("another process created it"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```

mod ephemeral;
mod names;

pub use ephemeral::EphemeralKey;
use etcd_client_core::{Compare, Key, Put, Revision, Txn, Value};
pub(crate) use names::{below, random_key, unique_key};
pub use names::{contender_key, contender_prefix, names_collide};

use crate::{Error, Store};

/// Creates a key that must not exist, and returns the revision that created it. The key has no lease.
///
/// # Errors
///
/// Returns [`Error::KeyExists`] if the key exists, or the client's error. Its outcome shows whether the key may have been created.
///
/// # Cancel safety
///
/// After the future is dropped, the key may or may not exist, or may still be created later.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// let revision = etcd_concurrency::keys::create_key(&client, "schema/version", "1").await?;
/// println!("created at revision {revision}");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "putNewKV")]
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

/// Creates a unique key `prefix/<random>`, and returns it with the revision that created it. The key has no lease.
///
/// The key is created at most once. A lost response is not retried: the first copy may have been applied and its key deleted
/// again before the second copy arrives, which would then create the key a second time.
///
/// # Errors
///
/// Returns the client's error. Its outcome shows whether the key may have been created, or may still be created later.
///
/// # Cancel safety
///
/// After the future is dropped, the key may or may not exist, or may still be created later. Its name is lost.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// let (key, revision) = etcd_concurrency::keys::create_unique_key(&client, "reports", "...").await?;
/// println!("created {key:?} at revision {revision}");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "UniqueKV")]
#[doc(alias = "NewUniqueKV")]
pub async fn create_unique_key(
    store: impl Into<Store>,
    prefix: impl Into<Key>,
    value: impl Into<Value>,
) -> Result<(Key, Revision), Error> {
    let key = random_key(&contender_prefix(prefix));
    let revision = create_key(store, &key, value).await?;
    Ok((key, revision))
}
