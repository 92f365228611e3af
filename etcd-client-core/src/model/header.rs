//! The header every answer carries.

use super::{ClusterId, MemberId, Revision};

/// Who answered, and at which revision of the store.
///
/// ```
/// use etcd_client_core::{ClusterId, MemberId, ResponseHeader, Revision};
///
/// let header = ResponseHeader::new(ClusterId::new(1), MemberId::new(2), Revision::new(42), 3);
/// assert_eq!(header.revision.get(), 42);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ResponseHeader {
    /// The cluster that answered.
    pub cluster_id: ClusterId,
    /// The member that answered.
    pub member_id: MemberId,
    /// The revision of the store when the request was applied: for a get the current one, even when the
    /// get asked for an older one. Zero in some answers that have nothing to do with the store.
    pub revision: Revision,
    /// The raft term when the request was applied.
    pub raft_term: u64,
}

impl ResponseHeader {
    /// A header as a server would send it.
    pub const fn new(cluster_id: ClusterId, member_id: MemberId, revision: Revision, raft_term: u64) -> Self {
        Self { cluster_id, member_id, revision, raft_term }
    }
}
