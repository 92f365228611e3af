//! MemberRemove: removes a member from the cluster.

use crate::{
    cluster::ClusterService,
    request::{Unbound, bound::bindable},
    types::{Member, MemberId, ResponseHeader},
};

/// Removes a member from the cluster permanently. Its id is never used again, and its process exits.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberRemove;
/// use etcd_client_core::types::MemberId;
///
/// let remove = MemberRemove::new(MemberId::new(7));
/// assert_eq!(remove.id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberRemoveRequest")]
#[must_use = "a MemberRemove does nothing until it is awaited"]
pub struct MemberRemove<B = Unbound> {
    /// The member to remove.
    pub id: MemberId,
    pub(crate) binding: B,
}

bindable!(MemberRemove { id } => MemberRemoveResponse, ClusterService.member_remove);

impl MemberRemove {
    /// Creates a request that removes the member `id`.
    pub fn new(id: MemberId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a [`MemberRemove`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRemoveResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// The remaining members.
    pub members: Vec<Member>,
}

impl MemberRemoveResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
