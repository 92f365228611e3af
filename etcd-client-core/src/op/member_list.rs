//! MemberList: the members of the cluster.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{Member, ResponseHeader};

/// Lists the members of the cluster. Linearizable unless [`serializable`](Self::serializable) is set.
///
/// Servers before 3.5 always answer with what the member that was asked knows.
///
/// ```
/// use etcd_client_core::MemberList;
///
/// assert!(!MemberList::new().spec().serializable);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a MemberList does nothing until it is awaited"]
pub struct MemberList<B = Unbound> {
    pub(super) spec: MemberListSpec,
    pub(super) binding: B,
}

/// What a [`MemberList`] asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberListSpec {
    /// Whether the member that is asked answers with what it knows.
    pub serializable: bool,
}

bindable!(MemberList, MemberListSpec => MemberListResponse, ClusterBound: Cluster.member_list);

impl MemberList {
    /// Lists the members.
    pub fn new() -> Self {
        MemberListSpec::default().into()
    }
}

impl<B> MemberList<B> {
    /// Answers with what the member that is asked knows, which may be old and needs no quorum. Default: not.
    pub fn serializable(mut self) -> Self {
        self.spec.serializable = true;
        self
    }

    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`MemberList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberListResponse {
    /// Who answered. It has no revision.
    pub header: ResponseHeader,
    /// The members, at least one, each id once.
    pub members: Vec<Member>,
}

impl MemberListResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
