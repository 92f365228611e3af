//! The lock service that every member has.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use super::CallOptions;
use crate::op::{ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse};

/// Locks that a member waits for. Names and keys in it are keys of the store: what moves those moves these.
#[async_trait]
pub trait LockService: Send + Sync + Debug {
    /// Waits for a lock and takes it.
    ///
    /// # Errors
    /// Where the outcome is unknown, the lock may be held, or its key may wait for it, until the lease ends.
    async fn lock(&self, op: ServerLock, options: CallOptions) -> Result<ServerLockResponse, Error>;

    /// Gives a lock back.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been given back.
    async fn unlock(&self, op: ServerUnlock, options: CallOptions) -> Result<ServerUnlockResponse, Error>;
}
