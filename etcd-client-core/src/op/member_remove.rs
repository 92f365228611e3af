//! MemberRemove: takes a member out of the cluster.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{Member, MemberId, ResponseHeader};

/// Removes a member from the cluster, for good: its id never returns, and its process ends.
///
/// Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{MemberId, MemberRemove};
///
/// let remove = MemberRemove::new(MemberId::new(7));
/// assert_eq!(remove.spec().id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a MemberRemove does nothing until it is awaited"]
pub struct MemberRemove<B = Unbound> {
    pub(super) spec: MemberRemoveSpec,
    pub(super) binding: B,
}

/// What a [`MemberRemove`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRemoveSpec {
    /// The member to remove.
    pub id: MemberId,
}

bindable!(MemberRemove, MemberRemoveSpec => MemberRemoveResponse, ClusterBound: Cluster.member_remove);

impl MemberRemove {
    /// Removes the member `id`.
    pub fn new(id: MemberId) -> Self {
        MemberRemoveSpec { id }.into()
    }
}

impl<B> MemberRemove<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`MemberRemove`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRemoveResponse {
    /// Who answered. It has no revision.
    pub header: ResponseHeader,
    /// The members that are left.
    pub members: Vec<Member>,
}

impl MemberRemoveResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
