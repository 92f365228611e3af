//! The operations of etcd's lock service, bound to a client.

use crate::{
    lock::{LockService, ServerLock, ServerUnlock},
    request::Bound,
    types::{Key, LeaseId},
};

/// The operations of etcd's own lock service, returned by [`Client::server_lock`](crate::client::Client::server_lock).
///
/// A lock is acquired with one call, and the member that serves the call waits on behalf of the client. Such locks queue with those
/// of Go's `concurrency.Mutex` and of `etcdctl lock`. The wait fails if that member fails, and a member that loses a caller may leave
/// its key behind until the lease expires: see [`ServerLock`]. The locks of the crate `etcd-concurrency` survive the loss of
/// members and clean up after themselves.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
/// use etcd_client_core::Put;
///
/// let lease = client.lease().grant(Duration::from_secs(60)).await?;
/// let lock = client.server_lock().lock("jobs/nightly", lease.id).timeout(Duration::from_secs(30)).await?;
/// // The lease may have expired since, and the lock with it. The comparison makes the write fail in this case.
/// let txn = client.txn().when(lock.owned()).then(Put::new("result", "42")).await?;
/// assert!(txn.succeeded());
/// client.server_lock().unlock(lock.key).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LockClient<'a> {
    service: &'a dyn LockService,
}

impl<'a> LockClient<'a> {
    /// Creates a handle on any lock service, such as a wrapper or a mock.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::lock::{LockService, LockClient};
    ///
    /// fn locks(service: &dyn LockService) -> LockClient<'_> {
    ///     LockClient::new(service)
    /// }
    /// ```
    pub fn new(service: &'a dyn LockService) -> Self {
        Self { service }
    }

    /// Acquires the lock `name` and holds it until it is unlocked or `lease` expires. Waits indefinitely unless a timeout is set.
    ///
    /// The lease is not renewed by this call. A process paused for longer than the lease TTL loses the lock: guard each write with
    /// [`owned`](crate::lock::ServerLockResponse::owned).
    ///
    /// # Errors
    ///
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) or [`Code::SessionExpired`](crate::Code::SessionExpired) if the lease does not exist or
    /// expires during the wait. [`Timeout`](crate::ErrorKind::Timeout) if the timeout passes.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may leave the key of the lock behind until the lease expires, and the lock may be held through it. Revoke the
    /// lease, or [unlock](Self::unlock) the key [`ServerLock::key`](crate::lock::ServerLock::key), to release it earlier.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// let lease = client.lease().grant(Duration::from_secs(60)).keep_alive().await?;
    /// let lock = client.server_lock().lock("jobs/nightly", lease.id()).timeout(Duration::from_secs(30)).await?;
    /// # let _ = lock;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Lock")]
    #[doc(alias = "NewMutex")]
    pub fn lock(self, name: impl Into<Key>, lease: LeaseId) -> ServerLock<Bound<'a, dyn LockService>> {
        ServerLock::new(name, lease).bind(self.service)
    }

    /// Releases the lock that `key` identifies.
    ///
    /// # Errors
    ///
    /// Returns the errors of any write; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use std::time::Duration;
    /// # let lease = client.lease().grant(Duration::from_secs(60)).await?;
    /// let lock = client.server_lock().lock("jobs/nightly", lease.id).await?;
    /// client.server_lock().unlock(lock.key).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Unlock")]
    pub fn unlock(self, key: impl Into<Key>) -> ServerUnlock<Bound<'a, dyn LockService>> {
        ServerUnlock::new(key).bind(self.service)
    }
}
