//! Status: how one member is doing.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{EndpointText, MemberId, ResponseHeader};

/// Asks one member how it is doing: its version, size, leader and place in the log.
///
/// It is answered without a quorum, and by learners.
///
/// ```
/// use etcd_client_core::Status;
///
/// let status = Status::new("http://10.0.0.1:2379");
/// assert_eq!(status.spec().endpoint.as_str(), "http://10.0.0.1:2379");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Status does nothing until it is awaited"]
pub struct Status<B = Unbound> {
    pub(super) spec: StatusSpec,
    pub(super) binding: B,
}

/// What a [`Status`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusSpec {
    /// The endpoint of the member to ask; it need not be one of the client's.
    pub endpoint: EndpointText,
}

bindable!(Status, StatusSpec => StatusResponse, MaintenanceBound: Maintenance.status);

impl Status {
    /// Asks the member at `endpoint`.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        StatusSpec { endpoint: endpoint.into() }.into()
    }
}

impl<B> Status<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`Status`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusResponse {
    /// Who answered: its `member_id` is the member whose status this is.
    pub header: ResponseHeader,
    /// The version of etcd that runs, such as `3.6.4`.
    pub version: String,
    /// The size of the database file in bytes.
    pub db_size: u64,
    /// How much of the file holds data, in bytes: the rest is what a [`Defragment`](super::Defragment) gives back.
    pub db_size_in_use: u64,
    /// The size at which nothing more can be written; `None` before 3.6.
    pub db_size_quota: Option<DbSizeQuota>,
    /// The leader as this member sees it; `None` while it knows of none.
    pub leader: Option<MemberId>,
    /// Whether this member is a learner.
    pub is_learner: bool,
    /// The raft term.
    pub raft_term: u64,
    /// The last entry of the log that is committed.
    pub raft_index: u64,
    /// The last entry of the log that is applied: what this member serves.
    pub raft_applied_index: u64,
    /// What is wrong: alarms, and that there is no leader. In the server's words.
    pub errors: Vec<String>,
    /// The version of the database's layout, such as `3.6.0`; `None` before 3.6.
    pub storage_version: Option<String>,
    /// Whether the cluster is being downgraded; `None` before 3.6.
    pub downgrade: Option<DowngradeInfo>,
}

/// The size of the database at which nothing more can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DbSizeQuota {
    /// This many bytes.
    Bytes(u64),
    /// There is none.
    Unlimited,
}

/// Whether a cluster is being downgraded, and to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DowngradeInfo {
    /// Whether a downgrade is under way.
    pub enabled: bool,
    /// The version it leads to, such as `3.5.0`; empty where none is under way.
    pub target_version: String,
}

impl StatusResponse {
    /// The status of the member that the header names, with everything else empty: set the fields that matter.
    ///
    /// ```
    /// use etcd_client_core::{MemberId, ResponseHeader, StatusResponse};
    ///
    /// let mut status = StatusResponse::new(ResponseHeader::default(), "3.7.0");
    /// status.leader = Some(MemberId::new(7));
    /// assert!(!status.is_leader());
    /// ```
    pub fn new(header: ResponseHeader, version: impl Into<String>) -> Self {
        Self { header, version: version.into(), ..Self::default() }
    }

    /// Whether the member leads, by its own word.
    pub fn is_leader(&self) -> bool {
        self.leader == Some(self.header.member_id)
    }
}

impl DowngradeInfo {
    /// A downgrade under way to this version.
    pub fn under_way(target_version: impl Into<String>) -> Self {
        Self { enabled: true, target_version: target_version.into() }
    }
}
