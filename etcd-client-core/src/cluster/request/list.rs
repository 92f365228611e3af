//! MemberList: lists the members of the cluster.

use crate::{
    cluster::ClusterService,
    request::{Unbound, bound::bindable},
    types::{Member, ResponseHeader},
};

/// Lists the members of the cluster. The read is linearizable unless [`serializable`](Self::serializable) is set.
///
/// Servers before 3.5 always respond from the state of the member that receives the request.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberList;
///
/// assert!(!MemberList::new().serializable);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "MemberListRequest")]
#[must_use = "a MemberList does nothing until it is awaited"]
pub struct MemberList<B = Unbound> {
    /// Allows the member to respond from its own state, which may be stale.
    pub serializable: bool,
    pub(crate) binding: B,
}

bindable!(MemberList { serializable } => MemberListResponse, ClusterService.member_list);

impl MemberList {
    /// Creates a request that lists the members.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<B> MemberList<B> {
    /// Allows the member to respond from its own state, which may be stale and needs no quorum. The default is
    /// linearizable.
    #[doc(alias = "WithSerializable")]
    pub fn serializable(mut self) -> Self {
        self.serializable = true;
        self
    }
}

/// The response to a [`MemberList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberListResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// The members: at least one, and no id twice.
    pub members: Vec<Member>,
}

impl MemberListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
