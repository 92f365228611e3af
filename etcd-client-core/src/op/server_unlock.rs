//! Unlock of the server's own lock service.

use etcd_errors::{Code, Error};

use super::bind::bindable;
use super::{Invalid, Limits, Unbound, size};
use crate::model::{Key, ResponseHeader};

/// Gives a lock back: deletes its key, and the next contender has the lock.
///
/// A key that does not exist is no error. Dropping the future leaves the outcome unknown; making the call again does no harm as long as
/// the same lease has not locked again meanwhile.
///
/// ```
/// use etcd_client_core::ServerUnlock;
///
/// let unlock = ServerUnlock::new("jobs/nightly/7d");
/// assert_eq!(unlock.spec().key, "jobs/nightly/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a ServerUnlock unlocks nothing until it is awaited"]
pub struct ServerUnlock<B = Unbound> {
    pub(super) spec: ServerUnlockSpec,
    pub(super) binding: B,
}

/// What a [`ServerUnlock`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUnlockSpec {
    /// The key that the lock's answer named. Members delete it whatever it is.
    pub key: Key,
}

bindable!(ServerUnlock, ServerUnlockSpec => ServerUnlockResponse, LockBound: LockService.unlock);

impl ServerUnlock {
    /// Gives back the lock that `key` stands for.
    pub fn new(key: impl Into<Key>) -> Self {
        ServerUnlockSpec { key: key.into() }.into()
    }
}

impl<B> ServerUnlock<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the key is empty, or longer than a request may be.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        if self.spec.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey).into());
        }
        size::check_parts(limits, true, &[self.spec.key.len()])?;
        Ok(())
    }
}

/// The answer to a [`ServerUnlock`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUnlockResponse {
    /// Who answered; its revision is that of the deletion, if there was a key to delete.
    pub header: ResponseHeader,
}

impl ServerUnlockResponse {
    /// An answer.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
