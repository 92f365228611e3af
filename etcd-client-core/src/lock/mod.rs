//! Locks of etcd's Lock service, for which the members wait on behalf of clients.
//!
//! [`Client::server_lock`](crate::Client::server_lock) returns the [`LockClient`]. The crate `etcd-concurrency` has locks that
//! report their loss and settle unknown outcomes; use these calls where a program must not wait itself.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//!
//! let lease = client.lease().grant(Duration::from_secs(60)).await?;
//! let lock = client.server_lock().lock("jobs/nightly", lease.id).await?;
//! client.server_lock().unlock(lock.key).await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;

pub use client::LockClient;
pub use request::{ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse};
pub use service::LockService;
