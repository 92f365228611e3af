//! Status: requests the state of one member.

use crate::{
    maintenance::MaintenanceService,
    request::{Unbound, bound::bindable},
    types::{EndpointText, MemberId, ResponseHeader},
};

/// Requests the state of one member: its version, size, leader and position in the log.
///
/// The request needs no quorum, and learners respond to it too.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::Status;
///
/// let status = Status::new("http://10.0.0.1:2379");
/// assert_eq!(status.endpoint.as_str(), "http://10.0.0.1:2379");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "StatusRequest")]
#[must_use = "a Status does nothing until it is awaited"]
pub struct Status<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client.
    pub endpoint: EndpointText,
    pub(crate) binding: B,
}

bindable!(Status { endpoint } => StatusResponse, MaintenanceService.status);

impl Status {
    /// Creates a request to the member at `endpoint`.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        Self { endpoint: endpoint.into(), binding: Unbound }
    }
}

/// The response to a [`Status`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusResponse {
    /// The header. Its `member_id` is the member that this status describes.
    pub header: ResponseHeader,
    /// The version of etcd that the member runs, such as `3.6.4`.
    pub version: String,
    /// The size of the database file in bytes.
    pub db_size: u64,
    /// The size of the data in the file in bytes. A [`Defragment`](crate::maintenance::Defragment) releases the rest.
    pub db_size_in_use: u64,
    /// The size at which the member stops accepting writes; `None` from servers before 3.6.
    pub db_size_quota: Option<DbSizeQuota>,
    /// The leader from this member's point of view; `None` if it knows no leader.
    pub leader: Option<MemberId>,
    /// Whether this member is a learner.
    pub is_learner: bool,
    /// The raft term.
    pub raft_term: u64,
    /// The index of the last committed log entry.
    pub raft_index: u64,
    /// The index of the last applied log entry, which is the state that this member serves.
    pub raft_applied_index: u64,
    /// The problems of the member in the server's words: alarms, and a missing leader.
    pub errors: Vec<String>,
    /// The version of the storage format, such as `3.6.0`; `None` from servers before 3.6.
    pub storage_version: Option<String>,
    /// The state of a downgrade of the cluster; `None` from servers before 3.6.
    pub downgrade: Option<DowngradeInfo>,
}

/// The database size at which a member stops accepting writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DbSizeQuota {
    /// A limit in bytes.
    Bytes(u64),
    /// No limit.
    Unlimited,
}

/// The state of a downgrade of the cluster, and its target version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DowngradeInfo {
    /// Whether a downgrade is in progress.
    pub enabled: bool,
    /// The target version, such as `3.5.0`; empty if no downgrade is in progress.
    pub target_version: String,
}

impl StatusResponse {
    /// Creates the status of the member that the header names, with all other fields empty. Set the fields you need.
    ///
    /// # Examples
    /// ```
    /// use etcd_client_core::maintenance::StatusResponse;
    /// use etcd_client_core::types::{MemberId, ResponseHeader};
    ///
    /// let mut status = StatusResponse::new(ResponseHeader::default(), "3.7.0");
    /// status.leader = Some(MemberId::new(7));
    /// assert!(!status.is_leader());
    /// ```
    pub fn new(header: ResponseHeader, version: impl Into<String>) -> Self {
        Self { header, version: version.into(), ..Self::default() }
    }

    /// Returns whether the member considers itself the leader.
    pub fn is_leader(&self) -> bool {
        self.leader == Some(self.header.member_id)
    }
}

impl DowngradeInfo {
    /// Creates the state of a downgrade in progress to this version.
    pub fn under_way(target_version: impl Into<String>) -> Self {
        Self { enabled: true, target_version: target_version.into() }
    }
}
