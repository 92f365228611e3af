//! The revision of auth: a counter of its own, beside that of the store.

use std::fmt;

/// The revision of users, roles and permissions: it grows with each change of them, and not with the store's.
///
/// ```
/// use etcd_client_core::AuthRevision;
///
/// assert!(AuthRevision::new(7) > AuthRevision::from(3));
/// assert_eq!(AuthRevision::new(7).get(), 7);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthRevision(u64);

impl AuthRevision {
    /// Wraps the number etcd uses.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number etcd uses.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for AuthRevision {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<AuthRevision> for u64 {
    fn from(revision: AuthRevision) -> Self {
        revision.0
    }
}

impl fmt::Display for AuthRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
