//! Lock of the server's own lock service: waits for a lock that lives as long as a lease.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Compare, Limits, Unbound, size};
use crate::model::{Key, LeaseId, ResponseHeader};

/// Waits until a lock is free and takes it, on the server: one call, which lasts as long as the wait.
///
/// The member queues the lock under a key made of the name and the lease ([`ServerLockSpec::key`]), behind those that are there.
/// A lease is one contender: locking again with the same lease is the same lock. The lease is the caller's to keep alive; the lock
/// is gone with it.
///
/// The call has no deadline unless it is given one, and it is not sent again where it may have been processed: a member that loses a
/// waiting caller deletes the key without a look at who owns it (`Mutex.Lock` in Go's `concurrency`), the key of a second call with it.
///
/// Only [`ServerLockResponse::owned`] proves that the lock is held when something is written: the lease may have ended after the answer, and
/// members of etcd 3.4 grant the lock even where it ended while the lock was waited for. Later ones answer with `Code::SessionExpired`.
///
/// # Dropping the future
///
/// The member is told at once. Where auth is off it then deletes the key of a call that still waits. Where auth is on it may not, and
/// what was granted at that moment stays granted: in both cases the key stays until the lease ends. So it is after an error whose
/// outcome is unknown. Revoke the lease, or [unlock](crate::ServerUnlock) the key that the spec names, to make room for others.
///
/// ```
/// use etcd_client_core::{LeaseId, ServerLock};
///
/// let lock = ServerLock::new("jobs/nightly", LeaseId::new(0x7d).unwrap());
/// assert_eq!(lock.spec().key(), "jobs/nightly/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a ServerLock locks nothing until it is awaited"]
pub struct ServerLock<B = Unbound> {
    pub(super) spec: ServerLockSpec,
    pub(super) binding: B,
}

/// What a [`ServerLock`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLockSpec {
    /// The lock, by a name of any bytes: contenders for one name wait for each other. It is the beginning of keys, so that a
    /// decorator that moves keys moves names.
    pub name: Key,
    /// The lease that the lock lives and dies with.
    pub lease: LeaseId,
}

bindable!(ServerLock, ServerLockSpec => ServerLockResponse, LockBound: LockService.lock);

impl ServerLock {
    /// Locks `name` for as long as `lease` lives.
    pub fn new(name: impl Into<Key>, lease: LeaseId) -> Self {
        ServerLockSpec { name: name.into(), lease }.into()
    }
}

impl<B> ServerLock<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the name is longer than a request may be.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, true, &[self.spec.name.len()])?;
        Ok(())
    }
}

impl ServerLockSpec {
    /// The key that stands for the lock, known before it is taken: the name, a slash, and the lease in hexadecimal.
    pub fn key(&self) -> Key {
        contender_key(&self.name, self.lease)
    }
}

/// `Mutex.tryAcquire` and `Election.Campaign` in client/v3/concurrency make the key so.
pub(super) fn contender_key(name: &Key, lease: LeaseId) -> Key {
    let mut key = name.as_bytes().to_vec();
    key.extend_from_slice(format!("/{lease:x}").as_bytes());
    key.into()
}

/// The answer to a [`ServerLock`]: the lock is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLockResponse {
    /// Who answered.
    pub header: ResponseHeader,
    /// The key that exists as long as the lock is held.
    pub key: Key,
}

impl ServerLockResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, key: impl Into<Key>) -> Self {
        Self { header, key: key.into() }
    }

    /// Holds while the lock is held: what a Txn compares so that its writes are not made by one who lost the lock meanwhile.
    pub fn owned(&self) -> Compare {
        Compare::exists(&self.key)
    }
}
