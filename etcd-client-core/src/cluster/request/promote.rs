//! MemberPromote: promotes a learner to a voting member.

use crate::{
    cluster::ClusterService,
    request::{Unbound, bound::bindable},
    types::{Member, MemberId, ResponseHeader},
};

/// Promotes a learner to a voting member.
///
/// Any member accepts the request and forwards it to the leader. While it knows no leader, it waits for one for up to
/// 7 s.
///
/// # Errors
/// Fails with `Code::MemberLearnerNotReady` if the learner has not caught up with the leader. Try again later.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberPromote;
/// use etcd_client_core::types::MemberId;
///
/// let promote = MemberPromote::new(MemberId::new(7));
/// assert_eq!(promote.id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberPromoteRequest")]
#[must_use = "a MemberPromote does nothing until it is awaited"]
pub struct MemberPromote<B = Unbound> {
    /// The learner to promote.
    pub id: MemberId,
    pub(crate) binding: B,
}

bindable!(MemberPromote { id } => MemberPromoteResponse, ClusterService.member_promote);

impl MemberPromote {
    /// Creates a request that promotes the learner `id`.
    pub fn new(id: MemberId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a [`MemberPromote`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberPromoteResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// All members, with the promoted one as a voting member.
    pub members: Vec<Member>,
}

impl MemberPromoteResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
