//! The header of every response.

use crate::types::{ClusterId, MemberId, Revision};

/// The origin of a response, and the revision of the store.
///
/// # Examples
/// ```
/// use etcd_client_core::Revision;
/// use etcd_client_core::types::{ClusterId, MemberId, ResponseHeader};
///
/// let header = ResponseHeader::new(ClusterId::new(1), MemberId::new(2), Revision::new(42), 3);
/// assert_eq!(header.revision.get(), 42);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ResponseHeader {
    /// The cluster that the response comes from.
    pub cluster_id: ClusterId,
    /// The member that the response comes from.
    pub member_id: MemberId,
    /// The revision of the store when the request was applied. For a get this is the current revision, even if it
    /// read an older one. Zero in some responses that are not about the store.
    pub revision: Revision,
    /// The raft term when the request was applied.
    pub raft_term: u64,
}

impl ResponseHeader {
    /// Creates a header as a server would send it.
    pub const fn new(cluster_id: ClusterId, member_id: MemberId, revision: Revision, raft_term: u64) -> Self {
        Self { cluster_id, member_id, revision, raft_term }
    }
}
