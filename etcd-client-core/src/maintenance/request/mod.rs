//! The requests of the Maintenance service and their responses: status, defragment, move leader and downgrade.
//!
//! The requests about alarms are in `alarm`, and those for checksums in `hash`.

pub(crate) mod alarm;
pub(crate) mod hash;

use etcd_errors::{Code, Error};

use crate::{
    maintenance::{MaintenanceService, one_member::parsed},
    request::{Unbound, bound::bindable},
    types::{Endpoint, Invalid, MemberId, ResponseHeader},
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
/// assert_eq!(status.endpoint?.as_str(), "http://10.0.0.1:2379");
/// # Ok::<(), etcd_client_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "StatusRequest")]
#[must_use = "a Status does nothing until it is awaited"]
pub struct Status<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client. The call fails with the error
    /// if there is one.
    pub endpoint: Result<Endpoint, Error>,
    pub(crate) binding: B,
}

bindable!(Status { endpoint } => StatusResponse, MaintenanceService.status);

impl Status {
    /// Creates a request to the member at `endpoint`.
    pub fn new(endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Self {
        Self { endpoint: parsed(endpoint), binding: Unbound }
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
    /// The size of the data in the file in bytes. A [`Defragment`] releases the rest.
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

/// Rewrites the database file of one member so that it contains no unused pages.
///
/// The member serves no requests during the defragmentation. Defragment one member after another, and the leader
/// last. Once the member is connected, the call has no deadline by default, because the duration grows with the file.
///
/// # Cancel safety
/// Dropping the future does not stop the defragmentation on the member. Its outcome is unknown.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::Defragment;
///
/// let defragment = Defragment::new("http://10.0.0.1:2379");
/// # let _ = defragment;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a Defragment does nothing until it is awaited"]
pub struct Defragment<B = Unbound> {
    /// The endpoint of the member, which does not have to be configured on the client. The call fails with the error
    /// if there is one.
    pub endpoint: Result<Endpoint, Error>,
    pub(crate) binding: B,
}

bindable!(Defragment { endpoint } => DefragmentResponse, MaintenanceService.defragment);

impl Defragment {
    /// Creates a request that defragments the member at `endpoint`.
    pub fn new(endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Self {
        Self { endpoint: parsed(endpoint), binding: Unbound }
    }
}

/// The response to a [`Defragment`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefragmentResponse {
    /// The header of the response; `None` from servers up to 3.7.
    pub header: Option<ResponseHeader>,
}

impl DefragmentResponse {
    /// Creates a response.
    pub fn new(header: Option<ResponseHeader>) -> Self {
        Self { header }
    }
}

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

/// Checks whether the cluster can be downgraded, starts a downgrade, or cancels it.
///
/// While a downgrade is enabled, members of the older version can join. The downgrade ends when all members run that
/// version.
///
/// # Errors
/// Fails with `ErrorKind::Unsupported` on servers before 3.5, which do not have this request.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled, except for a validation, which changes
/// nothing.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::{Downgrade, DowngradeAction};
///
/// let ask = Downgrade::new(DowngradeAction::validate("3.6"));
/// assert_eq!(ask.action.version(), Some("3.6"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Downgrade does nothing until it is awaited"]
pub struct Downgrade<B = Unbound> {
    /// The action to perform.
    pub action: DowngradeAction,
    pub(crate) binding: B,
}

bindable!(Downgrade { action } => DowngradeResponse, MaintenanceService.downgrade);

impl Downgrade {
    /// Creates a request that performs `action`.
    pub fn new(action: DowngradeAction) -> Self {
        Self { action, binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the version is empty.
    pub fn validate(&self) -> Result<(), Error> {
        if self.action.version() == Some("") {
            let invalid = Invalid::new("version", "is empty: give the target version, such as 3.6");
            return Err(invalid.code(Code::WrongDowngradeVersionFormat).into());
        }
        Ok(())
    }
}

/// The action of a [`Downgrade`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DowngradeAction {
    /// Checks whether the cluster can be downgraded, without changing anything.
    Validate {
        /// The target version, such as `3.6`.
        version: String,
    },
    /// Starts a downgrade, which allows members of this version to join.
    Enable {
        /// The target version, such as `3.6`.
        version: String,
    },
    /// Cancels a downgrade in progress.
    Cancel,
}

impl DowngradeAction {
    /// Checks whether the cluster can be downgraded to `version`, such as `3.6`. It must be one minor version below
    /// the cluster's.
    pub fn validate(version: impl Into<String>) -> Self {
        Self::Validate { version: version.into() }
    }

    /// Starts a downgrade to `version`, such as `3.6`. It must be one minor version below the cluster's.
    pub fn enable(version: impl Into<String>) -> Self {
        Self::Enable { version: version.into() }
    }

    /// Returns the target version, if the action has one.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Validate { version } | Self::Enable { version } => Some(version),
            Self::Cancel => None,
        }
    }
}

/// The response to a [`Downgrade`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DowngradeResponse {
    /// The header of the response.
    pub header: ResponseHeader,
    /// The version of the cluster, such as `3.7` or `3.7.0`: the version of its oldest member.
    pub version: String,
}

impl DowngradeResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, version: impl Into<String>) -> Self {
        Self { header, version: version.into() }
    }
}
