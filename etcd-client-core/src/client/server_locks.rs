//! The server's own locks, bound to a client.

use crate::{
    model::{Key, LeaseId},
    op::{LockBound, ServerLock, ServerUnlock},
    service::LockService,
};

/// What [`Client::server_lock`](crate::Client::server_lock) gives: locks that a member waits for, in one call each.
///
/// They queue with those of Go's `concurrency.Mutex` and of `etcdctl lock`. The wait ends with the member that it waits on, and a member that
/// loses a caller may leave its key behind until the lease ends: see [`ServerLock`]. A lock of the crate `etcd-concurrency` outlives
/// its members and cleans up.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
/// use etcd_client_core::Put;
///
/// let lease = client.lease().grant(Duration::from_secs(60)).await?;
/// let lock = client.server_lock().lock("jobs/nightly", lease.id).timeout(Duration::from_secs(30)).await?;
/// // The lease may have ended meanwhile, and the lock with it: whoever writes says so.
/// let txn = client.txn().when(lock.owned()).then(Put::new("result", "42")).await?;
/// assert!(txn.succeeded());
/// client.server_lock().unlock(lock.key).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServerLocks<'a> {
    service: &'a dyn LockService,
}

impl<'a> ServerLocks<'a> {
    /// The locks of any lock service.
    pub fn new(service: &'a dyn LockService) -> Self {
        Self { service }
    }

    /// Waits until `name` is free, and locks it for as long as `lease` lives. Default: as long as it takes.
    pub fn lock(self, name: impl Into<Key>, lease: LeaseId) -> ServerLock<LockBound<'a>> {
        ServerLock::new(name, lease).bind(self.service)
    }

    /// Gives back the lock that `key` stands for.
    pub fn unlock(self, key: impl Into<Key>) -> ServerUnlock<LockBound<'a>> {
        ServerUnlock::new(key).bind(self.service)
    }
}
