//! MoveLeader: makes another member the leader.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{MemberId, ResponseHeader};

/// Makes a member the leader, in the place of the one that leads now.
///
/// Only the leader takes this request, so the client asks its endpoints who leads, and asks once more where the leader has
/// changed meanwhile. With no leader, or none among the client's endpoints, it is `ErrorKind::Unavailable`; a target that is
/// no member with a vote is `Code::BadLeaderTransferee`. Where the target leads already nothing happens. Dropping the future
/// leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{MemberId, MoveLeader};
///
/// let move_leader = MoveLeader::new(MemberId::new(7));
/// assert_eq!(move_leader.spec().to, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a MoveLeader does nothing until it is awaited"]
pub struct MoveLeader<B = Unbound> {
    pub(super) spec: MoveLeaderSpec,
    pub(super) binding: B,
}

/// What a [`MoveLeader`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveLeaderSpec {
    /// The member that is to lead.
    pub to: MemberId,
}

bindable!(MoveLeader, MoveLeaderSpec => MoveLeaderResponse, MaintenanceBound: Maintenance.move_leader);

impl MoveLeader {
    /// Makes the member `to` the leader.
    pub fn new(to: MemberId) -> Self {
        MoveLeaderSpec { to }.into()
    }
}

impl<B> MoveLeader<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`MoveLeader`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveLeaderResponse {
    /// Who answered; servers up to 3.7 do not say.
    pub header: Option<ResponseHeader>,
}

impl MoveLeaderResponse {
    /// An answer.
    pub fn new(header: Option<ResponseHeader>) -> Self {
        Self { header }
    }
}
