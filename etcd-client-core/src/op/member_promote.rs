//! MemberPromote: gives a learner a vote.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{Member, MemberId, ResponseHeader};

/// Gives a learner a vote.
///
/// One that has not caught up with the leader is refused (`Code::MemberLearnerNotReady`): try again later. Any member
/// takes the request and forwards it to the leader, for up to 7 s while it knows of none. Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{MemberId, MemberPromote};
///
/// let promote = MemberPromote::new(MemberId::new(7));
/// assert_eq!(promote.spec().id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a MemberPromote does nothing until it is awaited"]
pub struct MemberPromote<B = Unbound> {
    pub(super) spec: MemberPromoteSpec,
    pub(super) binding: B,
}

/// What a [`MemberPromote`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberPromoteSpec {
    /// The learner to promote.
    pub id: MemberId,
}

bindable!(MemberPromote, MemberPromoteSpec => MemberPromoteResponse, ClusterBound: Cluster.member_promote);

impl MemberPromote {
    /// Promotes the learner `id`.
    pub fn new(id: MemberId) -> Self {
        MemberPromoteSpec { id }.into()
    }
}

impl<B> MemberPromote<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`MemberPromote`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberPromoteResponse {
    /// Who answered. It has no revision.
    pub header: ResponseHeader,
    /// All members, the promoted one with a vote.
    pub members: Vec<Member>,
}

impl MemberPromoteResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
