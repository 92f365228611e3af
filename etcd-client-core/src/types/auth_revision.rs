//! The auth revision, which is separate from the revision of the store.

use std::fmt;

/// The revision of users, roles and permissions. It increases with every change of them, independently of the
/// store's.
///
/// # Examples
/// ```
/// use etcd_client_core::types::AuthRevision;
///
/// assert!(AuthRevision::new(7) > AuthRevision::from(3));
/// assert_eq!(AuthRevision::new(7).get(), 7);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthRevision(u64);

impl AuthRevision {
    /// Creates an auth revision from etcd's number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns etcd's number.
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
