//! ServerUnlock: releases a lock of etcd's own lock service.

use etcd_errors::{Code, Error};

use super::bind::bindable;
use super::{Invalid, Limits, Unbound, size};
use crate::model::{Key, ResponseHeader};

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
/// use etcd_client_core::ServerUnlock;
///
/// let unlock = ServerUnlock::new("jobs/nightly/7d");
/// assert_eq!(unlock.spec().key, "jobs/nightly/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a ServerUnlock unlocks nothing until it is awaited"]
#[doc(alias = "UnlockRequest")]
pub struct ServerUnlock<B = Unbound> {
    pub(super) spec: ServerUnlockSpec,
    pub(super) binding: B,
}

/// The parameters of a [`ServerUnlock`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUnlockSpec {
    /// The key from the response to the lock request. Members delete any key that is given here.
    pub key: Key,
}

bindable!(ServerUnlock, ServerUnlockSpec => ServerUnlockResponse, LockBound: LockService.unlock);

impl ServerUnlock {
    /// Creates a request that releases the lock with this `key`.
    pub fn new(key: impl Into<Key>) -> Self {
        ServerUnlockSpec { key: key.into() }.into()
    }
}

impl<B> ServerUnlock<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the key is empty, or if it exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        if self.spec.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey).into());
        }
        size::check_parts(limits, true, &[self.spec.key.len()])?;
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
