//! What a won election is held by.

use etcd_errors::Code;

use crate::model::{Key, LeaseId, Revision};
use crate::op::{Compare, Invalid};

/// What a won election is held by: needed to proclaim and to resign, and to guard writes with.
///
/// ```
/// use etcd_client_core::{LeaderKey, LeaseId};
///
/// let key = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let guard = key.owned();
/// # let _ = guard;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LeaderKey {
    /// The election.
    pub name: Key,
    /// The key that exists as long as the leadership lasts.
    pub key: Key,
    /// The revision that created the key: greater for each leader than for the one before.
    pub create_revision: Revision,
    /// The lease that the leadership lives and dies with.
    pub lease: LeaseId,
}

impl LeaderKey {
    /// The leadership of the election `name` that `key` stands for.
    pub fn new(
        name: impl Into<Key>,
        key: impl Into<Key>,
        create_revision: impl Into<Revision>,
        lease: LeaseId,
    ) -> Self {
        Self { name: name.into(), key: key.into(), create_revision: create_revision.into(), lease }
    }

    /// Holds while the leadership lasts: what a Txn compares so that its writes are not made by one who lost it meanwhile.
    ///
    /// A member may report a campaign as won whose lease ended while it waited (`Election.Campaign` in client/v3/concurrency looks at
    /// the others' keys only), so that nothing but this proves it.
    pub fn owned(&self) -> Compare {
        Compare::create_revision(&self.key).equal(self.create_revision)
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey).within("leader"));
        }
        if self.create_revision.get() <= 0 {
            return Err(Invalid::new("create_revision", "is not positive").within("leader"));
        }
        Ok(())
    }
}
