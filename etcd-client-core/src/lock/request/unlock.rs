//! ServerUnlock: releases a lock of etcd's own lock service.

use etcd_errors::{Code, Error};

use crate::{
    lock::LockService,
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{Invalid, Key, ResponseHeader},
};

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
}

impl ServerUnlock {
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
