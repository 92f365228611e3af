//! Generated from `table/v3rpc.tsv` by `cargo xtask codegen`: edit the table, not this file.

use super::Row;
use crate::grpc_code::GrpcCode;
use crate::kind::Outcome;

/// An error of the etcd v3 API.
///
/// The variants are named after the Go client's variables, without `Err`. [`Other`](Self::Other) stands
/// for an error that is not in etcd's table.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Code {
    /// `etcdserver: key is not provided` (InvalidArgument).
    EmptyKey,
    /// `etcdserver: key not found` (InvalidArgument).
    KeyNotFound,
    /// `etcdserver: value is provided` (InvalidArgument).
    ValueProvided,
    /// `etcdserver: lease is provided` (InvalidArgument).
    LeaseProvided,
    /// `etcdserver: too many operations in txn request` (InvalidArgument).
    TooManyOps,
    /// `etcdserver: duplicate key given in txn request` (InvalidArgument).
    DuplicateKey,
    /// `etcdserver: invalid client api version` (InvalidArgument).
    InvalidClientAPIVersion,
    /// `etcdserver: invalid sort option` (InvalidArgument).
    InvalidSortOption,
    /// `etcdserver: mvcc: required revision has been compacted` (OutOfRange).
    Compacted,
    /// `etcdserver: mvcc: required revision is a future revision` (OutOfRange).
    FutureRev,
    /// `etcdserver: mvcc: database space exceeded` (ResourceExhausted).
    NoSpace,
    /// `etcdserver: requested lease not found` (NotFound).
    LeaseNotFound,
    /// `etcdserver: lease already exists` (FailedPrecondition).
    LeaseExist,
    /// `etcdserver: too large lease TTL` (OutOfRange).
    LeaseTTLTooLarge,
    /// `etcdserver: watch canceled` (Cancelled).
    WatchCanceled,
    /// `etcdserver: member ID already exist` (FailedPrecondition).
    MemberExist,
    /// `etcdserver: Peer URLs already exists` (FailedPrecondition).
    PeerURLExist,
    /// `etcdserver: re-configuration failed due to not enough started members` (FailedPrecondition).
    MemberNotEnoughStarted,
    /// `etcdserver: given member URLs are invalid` (InvalidArgument).
    MemberBadURLs,
    /// `etcdserver: member not found` (NotFound).
    MemberNotFound,
    /// `etcdserver: can only promote a learner member` (FailedPrecondition).
    MemberNotLearner,
    /// `etcdserver: can only promote a learner member which is in sync with leader` (FailedPrecondition).
    MemberLearnerNotReady,
    /// `etcdserver: too many learner members in cluster` (FailedPrecondition).
    TooManyLearners,
    /// `etcdserver: cluster ID mismatch` (FailedPrecondition).
    ClusterIDMismatch,
    /// `etcdserver: request is too large` (InvalidArgument).
    RequestTooLarge,
    /// `etcdserver: too many requests` (ResourceExhausted).
    TooManyRequests,
    /// `etcdserver: root user does not exist` (FailedPrecondition).
    RootUserNotExist,
    /// `etcdserver: root user does not have root role` (FailedPrecondition).
    RootRoleNotExist,
    /// `etcdserver: user name already exists` (FailedPrecondition).
    UserAlreadyExist,
    /// `etcdserver: user name is empty` (InvalidArgument).
    UserEmpty,
    /// `etcdserver: user name not found` (FailedPrecondition).
    UserNotFound,
    /// `etcdserver: role name already exists` (FailedPrecondition).
    RoleAlreadyExist,
    /// `etcdserver: role name not found` (FailedPrecondition).
    RoleNotFound,
    /// `etcdserver: role name is empty` (InvalidArgument).
    RoleEmpty,
    /// `etcdserver: authentication failed, invalid user ID or password` (InvalidArgument).
    AuthFailed,
    /// `etcdserver: permission not given` (InvalidArgument).
    PermissionNotGiven,
    /// `etcdserver: permission denied` (PermissionDenied).
    PermissionDenied,
    /// `etcdserver: role is not granted to the user` (FailedPrecondition).
    RoleNotGranted,
    /// `etcdserver: permission is not granted to the role` (FailedPrecondition).
    PermissionNotGranted,
    /// `etcdserver: authentication is not enabled` (FailedPrecondition).
    AuthNotEnabled,
    /// `etcdserver: invalid auth token` (Unauthenticated).
    InvalidAuthToken,
    /// `etcdserver: invalid auth management` (InvalidArgument).
    InvalidAuthMgmt,
    /// `etcdserver: revision of auth store is old` (InvalidArgument).
    AuthOldRevision,
    /// `etcdserver: no leader` (Unavailable).
    NoLeader,
    /// `etcdserver: not leader` (FailedPrecondition).
    NotLeader,
    /// `etcdserver: leader changed` (Unavailable).
    LeaderChanged,
    /// `etcdserver: not capable` (FailedPrecondition).
    NotCapable,
    /// `etcdserver: server stopped` (Unavailable).
    Stopped,
    /// `etcdserver: request timed out` (Unavailable).
    Timeout,
    /// `etcdserver: request timed out, possibly due to previous leader failure` (Unavailable).
    TimeoutDueToLeaderFail,
    /// `etcdserver: request timed out, possibly due to connection lost` (Unavailable).
    TimeoutDueToConnectionLost,
    /// `etcdserver: request timed out, waiting for the applied index took too long` (Unavailable).
    TimeoutWaitAppliedIndex,
    /// `etcdserver: unhealthy cluster` (Unavailable).
    Unhealthy,
    /// `etcdserver: corrupt cluster` (DataLoss).
    Corrupt,
    /// `etcdserver: rpc not supported for learner` (FailedPrecondition).
    NotSupportedForLearner,
    /// `etcdserver: bad leader transferee` (FailedPrecondition).
    BadLeaderTransferee,
    /// `etcdserver: wrong downgrade target version format` (InvalidArgument).
    WrongDowngradeVersionFormat,
    /// `etcdserver: invalid downgrade target version` (InvalidArgument).
    InvalidDowngradeTargetVersion,
    /// `etcdserver: cluster version not found during downgrade` (FailedPrecondition).
    ClusterVersionUnavailable,
    /// `etcdserver: cluster has a downgrade job in progress` (FailedPrecondition).
    DowngradeInProcess,
    /// `etcdserver: no inflight downgrade job` (FailedPrecondition).
    NoInflightDowngrade,
    /// `etcdserver: request canceled` (Cancelled).
    Canceled,
    /// `etcdserver: context deadline exceeded` (DeadlineExceeded).
    DeadlineExceeded,
    /// `mutex: session is expired` (Unknown).
    SessionExpired,
    /// `election: not leader` (Unknown).
    ElectionNotLeader,
    /// `election: no leader` (Unknown).
    ElectionNoLeader,
    /// An error that is not in etcd's table, with its gRPC code.
    Other(GrpcCode),
}

pub(super) const ROWS: [Row; 66] = [
    Row::new(
        Code::EmptyKey,
        "EmptyKey",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: key is not provided",
    ),
    Row::new(
        Code::KeyNotFound,
        "KeyNotFound",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: key not found",
    ),
    Row::new(
        Code::ValueProvided,
        "ValueProvided",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: value is provided",
    ),
    Row::new(
        Code::LeaseProvided,
        "LeaseProvided",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: lease is provided",
    ),
    Row::new(
        Code::TooManyOps,
        "TooManyOps",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: too many operations in txn request",
    ),
    Row::new(
        Code::DuplicateKey,
        "DuplicateKey",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: duplicate key given in txn request",
    ),
    Row::new(
        Code::InvalidClientAPIVersion,
        "InvalidClientAPIVersion",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: invalid client api version",
    ),
    Row::new(
        Code::InvalidSortOption,
        "InvalidSortOption",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: invalid sort option",
    ),
    Row::new(
        Code::Compacted,
        "Compacted",
        GrpcCode::OutOfRange,
        Outcome::NotApplied,
        "etcdserver: mvcc: required revision has been compacted",
    ),
    Row::new(
        Code::FutureRev,
        "FutureRev",
        GrpcCode::OutOfRange,
        Outcome::NotApplied,
        "etcdserver: mvcc: required revision is a future revision",
    ),
    Row::new(
        Code::NoSpace,
        "NoSpace",
        GrpcCode::ResourceExhausted,
        Outcome::Unknown,
        "etcdserver: mvcc: database space exceeded",
    ),
    Row::new(
        Code::LeaseNotFound,
        "LeaseNotFound",
        GrpcCode::NotFound,
        Outcome::NotApplied,
        "etcdserver: requested lease not found",
    ),
    Row::new(
        Code::LeaseExist,
        "LeaseExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: lease already exists",
    ),
    Row::new(
        Code::LeaseTTLTooLarge,
        "LeaseTTLTooLarge",
        GrpcCode::OutOfRange,
        Outcome::NotApplied,
        "etcdserver: too large lease TTL",
    ),
    Row::new(
        Code::WatchCanceled,
        "WatchCanceled",
        GrpcCode::Cancelled,
        Outcome::NotApplied,
        "etcdserver: watch canceled",
    ),
    Row::new(
        Code::MemberExist,
        "MemberExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: member ID already exist",
    ),
    Row::new(
        Code::PeerURLExist,
        "PeerURLExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: Peer URLs already exists",
    ),
    Row::new(
        Code::MemberNotEnoughStarted,
        "MemberNotEnoughStarted",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: re-configuration failed due to not enough started members",
    ),
    Row::new(
        Code::MemberBadURLs,
        "MemberBadURLs",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: given member URLs are invalid",
    ),
    Row::new(
        Code::MemberNotFound,
        "MemberNotFound",
        GrpcCode::NotFound,
        Outcome::NotApplied,
        "etcdserver: member not found",
    ),
    Row::new(
        Code::MemberNotLearner,
        "MemberNotLearner",
        GrpcCode::FailedPrecondition,
        Outcome::Unknown,
        "etcdserver: can only promote a learner member",
    ),
    Row::new(
        Code::MemberLearnerNotReady,
        "MemberLearnerNotReady",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: can only promote a learner member which is in sync with leader",
    ),
    Row::new(
        Code::TooManyLearners,
        "TooManyLearners",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: too many learner members in cluster",
    ),
    Row::new(
        Code::ClusterIDMismatch,
        "ClusterIDMismatch",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: cluster ID mismatch",
    ),
    Row::new(
        Code::RequestTooLarge,
        "RequestTooLarge",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: request is too large",
    ),
    Row::new(
        Code::TooManyRequests,
        "TooManyRequests",
        GrpcCode::ResourceExhausted,
        Outcome::NotApplied,
        "etcdserver: too many requests",
    ),
    Row::new(
        Code::RootUserNotExist,
        "RootUserNotExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: root user does not exist",
    ),
    Row::new(
        Code::RootRoleNotExist,
        "RootRoleNotExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: root user does not have root role",
    ),
    Row::new(
        Code::UserAlreadyExist,
        "UserAlreadyExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: user name already exists",
    ),
    Row::new(
        Code::UserEmpty,
        "UserEmpty",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: user name is empty",
    ),
    Row::new(
        Code::UserNotFound,
        "UserNotFound",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: user name not found",
    ),
    Row::new(
        Code::RoleAlreadyExist,
        "RoleAlreadyExist",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: role name already exists",
    ),
    Row::new(
        Code::RoleNotFound,
        "RoleNotFound",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: role name not found",
    ),
    Row::new(
        Code::RoleEmpty,
        "RoleEmpty",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: role name is empty",
    ),
    Row::new(
        Code::AuthFailed,
        "AuthFailed",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: authentication failed, invalid user ID or password",
    ),
    Row::new(
        Code::PermissionNotGiven,
        "PermissionNotGiven",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: permission not given",
    ),
    Row::new(
        Code::PermissionDenied,
        "PermissionDenied",
        GrpcCode::PermissionDenied,
        Outcome::NotApplied,
        "etcdserver: permission denied",
    ),
    Row::new(
        Code::RoleNotGranted,
        "RoleNotGranted",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: role is not granted to the user",
    ),
    Row::new(
        Code::PermissionNotGranted,
        "PermissionNotGranted",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: permission is not granted to the role",
    ),
    Row::new(
        Code::AuthNotEnabled,
        "AuthNotEnabled",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: authentication is not enabled",
    ),
    Row::new(
        Code::InvalidAuthToken,
        "InvalidAuthToken",
        GrpcCode::Unauthenticated,
        Outcome::NotApplied,
        "etcdserver: invalid auth token",
    ),
    Row::new(
        Code::InvalidAuthMgmt,
        "InvalidAuthMgmt",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: invalid auth management",
    ),
    Row::new(
        Code::AuthOldRevision,
        "AuthOldRevision",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: revision of auth store is old",
    ),
    Row::new(Code::NoLeader, "NoLeader", GrpcCode::Unavailable, Outcome::NotApplied, "etcdserver: no leader"),
    Row::new(
        Code::NotLeader,
        "NotLeader",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: not leader",
    ),
    Row::new(
        Code::LeaderChanged,
        "LeaderChanged",
        GrpcCode::Unavailable,
        Outcome::Unknown,
        "etcdserver: leader changed",
    ),
    Row::new(
        Code::NotCapable,
        "NotCapable",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: not capable",
    ),
    Row::new(Code::Stopped, "Stopped", GrpcCode::Unavailable, Outcome::Unknown, "etcdserver: server stopped"),
    Row::new(
        Code::Timeout,
        "Timeout",
        GrpcCode::Unavailable,
        Outcome::Unknown,
        "etcdserver: request timed out",
    ),
    Row::new(
        Code::TimeoutDueToLeaderFail,
        "TimeoutDueToLeaderFail",
        GrpcCode::Unavailable,
        Outcome::Unknown,
        "etcdserver: request timed out, possibly due to previous leader failure",
    ),
    Row::new(
        Code::TimeoutDueToConnectionLost,
        "TimeoutDueToConnectionLost",
        GrpcCode::Unavailable,
        Outcome::Unknown,
        "etcdserver: request timed out, possibly due to connection lost",
    ),
    Row::new(
        Code::TimeoutWaitAppliedIndex,
        "TimeoutWaitAppliedIndex",
        GrpcCode::Unavailable,
        Outcome::Unknown,
        "etcdserver: request timed out, waiting for the applied index took too long",
    ),
    Row::new(
        Code::Unhealthy,
        "Unhealthy",
        GrpcCode::Unavailable,
        Outcome::NotApplied,
        "etcdserver: unhealthy cluster",
    ),
    Row::new(Code::Corrupt, "Corrupt", GrpcCode::DataLoss, Outcome::Unknown, "etcdserver: corrupt cluster"),
    Row::new(
        Code::NotSupportedForLearner,
        "NotSupportedForLearner",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: rpc not supported for learner",
    ),
    Row::new(
        Code::BadLeaderTransferee,
        "BadLeaderTransferee",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: bad leader transferee",
    ),
    Row::new(
        Code::WrongDowngradeVersionFormat,
        "WrongDowngradeVersionFormat",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: wrong downgrade target version format",
    ),
    Row::new(
        Code::InvalidDowngradeTargetVersion,
        "InvalidDowngradeTargetVersion",
        GrpcCode::InvalidArgument,
        Outcome::NotApplied,
        "etcdserver: invalid downgrade target version",
    ),
    Row::new(
        Code::ClusterVersionUnavailable,
        "ClusterVersionUnavailable",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: cluster version not found during downgrade",
    ),
    Row::new(
        Code::DowngradeInProcess,
        "DowngradeInProcess",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: cluster has a downgrade job in progress",
    ),
    Row::new(
        Code::NoInflightDowngrade,
        "NoInflightDowngrade",
        GrpcCode::FailedPrecondition,
        Outcome::NotApplied,
        "etcdserver: no inflight downgrade job",
    ),
    Row::new(
        Code::Canceled,
        "Canceled",
        GrpcCode::Cancelled,
        Outcome::Unknown,
        "etcdserver: request canceled",
    ),
    Row::new(
        Code::DeadlineExceeded,
        "DeadlineExceeded",
        GrpcCode::DeadlineExceeded,
        Outcome::Unknown,
        "etcdserver: context deadline exceeded",
    ),
    Row::new(
        Code::SessionExpired,
        "SessionExpired",
        GrpcCode::Unknown,
        Outcome::NotApplied,
        "mutex: session is expired",
    ),
    Row::new(
        Code::ElectionNotLeader,
        "ElectionNotLeader",
        GrpcCode::Unknown,
        Outcome::NotApplied,
        "election: not leader",
    ),
    Row::new(
        Code::ElectionNoLeader,
        "ElectionNoLeader",
        GrpcCode::Unknown,
        Outcome::NotApplied,
        "election: no leader",
    ),
];
