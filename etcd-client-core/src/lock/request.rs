//! The requests of the Lock service and their responses: lock and unlock.

use etcd_errors::{Code, Error};

use crate::{
    lock::LockService,
    request::{Limits, Unbound, bound::bindable},
    txn::{Compare, size},
    types::{Invalid, Key, LeaseId, ResponseHeader, prefix::contender_key},
};

/// Acquires a lock on the server. Waits until it is free, in one call that lasts as long as the wait.
///
/// The member queues the call behind earlier ones, under a key that consists of the name and the lease
/// ([`ServerLock::key`]). A lease is one contender: a second call with the same lease acquires the same lock.
/// Keep the lease alive yourself; the lock is lost with it.
///
/// The call has no deadline unless you set one. It is not retried if it may have been processed: a member that loses
/// a waiting caller deletes the key without checking its owner (`Mutex.Lock` in Go's `concurrency`), and would also
/// delete the key of a second call.
///
/// Only [`ServerLockResponse::owned`] proves that the lock is held at the time of a write. The lease may have expired
/// after the response, and members of etcd 3.4 grant the lock even if it expired during the wait. Later versions then
/// fail with `Code::SessionExpired`.
///
/// # Cancel safety
/// Dropping the future cancels the call on the member immediately. A key can remain until the lease ends in two
/// cases:
///
/// - With auth enabled, the member may be unable to delete the key of a call that still waits. With auth disabled it
///   deletes the key.
/// - A lock that is granted at that moment stays granted.
///
/// The same applies after an error whose outcome is unknown. To release the lock for others, revoke the lease, or
/// [unlock](crate::lock::ServerUnlock) the key that [`ServerLock::key`] returns.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::lock::ServerLock;
///
/// let lock = ServerLock::new("jobs/nightly", LeaseId::new(0x7d).unwrap());
/// assert_eq!(lock.key(), "jobs/nightly/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "LockRequest")]
#[doc(alias = "LockOptions")]
#[must_use = "a ServerLock locks nothing until it is awaited"]
pub struct ServerLock<B = Unbound> {
    /// The name of the lock, which can be any bytes. Contenders for one name wait for each other. The name is a
    /// prefix of keys, so a wrapper that changes keys, such as a namespace, also changes names.
    pub name: Key,
    /// The lease that holds the lock.
    pub lease: LeaseId,
    pub(crate) binding: B,
}

bindable!(ServerLock { name, lease } => ServerLockResponse, LockService.lock);

impl ServerLock {
    /// Creates a request for the lock `name`, held by `lease`.
    pub fn new(name: impl Into<Key>, lease: LeaseId) -> Self {
        Self { name: name.into(), lease, binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, true, &[self.name.len()])?;
        Ok(())
    }
}

impl<B> ServerLock<B> {
    /// Returns the key of the lock, which is known in advance: the name, a slash, and the lease in hexadecimal.
    pub fn key(&self) -> Key {
        contender_key(&self.name, self.lease)
    }
}

/// The response to a [`ServerLock`]: the lock is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLockResponse {
    /// The header of the response.
    pub header: ResponseHeader,
    /// The key, which exists while the lock is held.
    pub key: Key,
}

impl ServerLockResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, key: impl Into<Key>) -> Self {
        Self { header, key: key.into() }
    }

    /// Returns a condition that holds while the lock is held.
    ///
    /// Add it to a Txn so that its writes are not applied after the lock was lost.
    pub fn owned(&self) -> Compare {
        Compare::exists(&self.key)
    }
}

/// Releases a lock by deleting its key. The next contender then acquires the lock.
///
/// A key that does not exist is not an error. A retry is harmless unless the same lease has acquired the lock again
/// in the meantime.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::lock::ServerUnlock;
///
/// let unlock = ServerUnlock::new("jobs/nightly/7d");
/// assert_eq!(unlock.key, "jobs/nightly/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a ServerUnlock unlocks nothing until it is awaited"]
#[doc(alias = "UnlockRequest")]
pub struct ServerUnlock<B = Unbound> {
    /// The key from the response to the lock request. Members delete any key that is given here.
    pub key: Key,
    pub(crate) binding: B,
}

bindable!(ServerUnlock { key } => ServerUnlockResponse, LockService.unlock);

impl ServerUnlock {
    /// Creates a request that releases the lock with this `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        Self { key: key.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the key is empty, or if it exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        if self.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey).into());
        }
        size::check_parts(limits, true, &[self.key.len()])?;
        Ok(())
    }
}

/// The response to a [`ServerUnlock`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUnlockResponse {
    /// The header, with the revision of the deletion if the key existed.
    pub header: ResponseHeader,
}

impl ServerUnlockResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
