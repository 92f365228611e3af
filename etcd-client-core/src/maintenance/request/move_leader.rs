//! MoveLeader: transfers the leadership to another member.

use crate::{
    maintenance::MaintenanceService,
    request::{Unbound, bound::bindable},
    types::{MemberId, ResponseHeader},
};

/// Transfers the leadership to another member.
///
/// Only the leader accepts this request. The client therefore looks up the leader among its endpoints, and does so
/// once more if the leader has changed in the meantime. Nothing happens if the target is already the leader.
///
/// # Errors
/// - `ErrorKind::Unavailable`: there is no leader, or it is not among the client's endpoints.
/// - `Code::BadLeaderTransferee`: the target is not a voting member.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::MoveLeader;
/// use etcd_client_core::types::MemberId;
///
/// let move_leader = MoveLeader::new(MemberId::new(7));
/// assert_eq!(move_leader.to, 7);
/// ```
#[doc(alias = "MoveLeaderRequest")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a MoveLeader does nothing until it is awaited"]
pub struct MoveLeader<B = Unbound> {
    /// The member that becomes the leader.
    pub to: MemberId,
    pub(crate) binding: B,
}

bindable!(MoveLeader { to } => MoveLeaderResponse, MaintenanceService.move_leader);

impl MoveLeader {
    /// Creates a request that makes the member `to` the leader.
    pub fn new(to: MemberId) -> Self {
        Self { to, binding: Unbound }
    }
}

/// The response to a [`MoveLeader`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveLeaderResponse {
    /// The header of the response; `None` from servers up to 3.7.
    pub header: Option<ResponseHeader>,
}

impl MoveLeaderResponse {
    /// Creates a response.
    pub fn new(header: Option<ResponseHeader>) -> Self {
        Self { header }
    }
}
