//! The lock service of every member.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    lock::{ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse},
    request::CallOptions,
};

/// Locks that a member waits for. Their names and keys are keys of the store, so a wrapper that changes keys, such
/// as a namespace, also changes locks.
#[async_trait]
pub trait LockService: Send + Sync + Debug {
    /// Waits for a lock and acquires it.
    ///
    /// # Errors
    /// If the outcome is unknown, the lock may be held, or its key may wait for the lock, until the lease ends.
    async fn lock(&self, op: ServerLock, options: CallOptions) -> Result<ServerLockResponse, Error>;

    /// Releases a lock.
    ///
    /// # Errors
    /// The outcome of the error shows whether the lock may have been released.
    async fn unlock(&self, op: ServerUnlock, options: CallOptions) -> Result<ServerUnlockResponse, Error>;
}
