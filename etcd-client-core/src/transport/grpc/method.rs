//! The RPCs of this client: path, name, class and default timeout of each.

use std::time::Duration;

use etcd_errors::Error;
use http::uri::PathAndQuery;

use crate::transport::grpc::observation::{
    Class,
    Class::{Forwarded, Idempotent, Read, Write},
};

/// The default timeout of a call. etcd itself gives up after 7 s (5 s and two election timeouts), so waiting much
/// longer adds no information.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// An RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Range,
    RangeStream,
    Put,
    DeleteRange,
    Txn,
    Compact,
    LeaseGrant,
    LeaseRevoke,
    LeaseTimeToLive,
    LeaseLeases,
    LeaseKeepAlive,
    MemberAdd,
    MemberRemove,
    MemberUpdate,
    MemberList,
    MemberPromote,
    Alarm,
    Status,
    Defragment,
    Hash,
    HashKv,
    Snapshot,
    MoveLeader,
    Downgrade,
    AuthEnable,
    AuthDisable,
    AuthStatus,
    Authenticate,
    UserAdd,
    UserGet,
    UserList,
    UserDelete,
    UserChangePassword,
    UserGrantRole,
    UserRevokeRole,
    RoleAdd,
    RoleGet,
    RoleList,
    RoleDelete,
    RoleGrantPermission,
    RoleRevokePermission,
    Lock,
    Unlock,
    Campaign,
    Proclaim,
    Leader,
    Observe,
    Resign,
    HealthWatch,
    Watch,
}

/// The default timeout of an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultTimeout {
    /// The client's timeout.
    Default,
    /// No timeout: the duration grows with the store, or depends on other clients.
    Unlimited,
}

/// Path, name, class (where the request's content does not decide) and default timeout of an RPC.
#[derive(Debug)]
struct Facts(&'static str, &'static str, Class, DefaultTimeout);

const D: DefaultTimeout = DefaultTimeout::Default;
const U: DefaultTimeout = DefaultTimeout::Unlimited;

impl Method {
    pub(crate) const ALL: [Self; 50] = [
        Self::Range,
        Self::RangeStream,
        Self::Put,
        Self::DeleteRange,
        Self::Txn,
        Self::Compact,
        Self::LeaseGrant,
        Self::LeaseRevoke,
        Self::LeaseTimeToLive,
        Self::LeaseLeases,
        Self::LeaseKeepAlive,
        Self::MemberAdd,
        Self::MemberRemove,
        Self::MemberUpdate,
        Self::MemberList,
        Self::MemberPromote,
        Self::Alarm,
        Self::Status,
        Self::Defragment,
        Self::Hash,
        Self::HashKv,
        Self::Snapshot,
        Self::MoveLeader,
        Self::Downgrade,
        Self::AuthEnable,
        Self::AuthDisable,
        Self::AuthStatus,
        Self::Authenticate,
        Self::UserAdd,
        Self::UserGet,
        Self::UserList,
        Self::UserDelete,
        Self::UserChangePassword,
        Self::UserGrantRole,
        Self::UserRevokeRole,
        Self::RoleAdd,
        Self::RoleGet,
        Self::RoleList,
        Self::RoleDelete,
        Self::RoleGrantPermission,
        Self::RoleRevokePermission,
        Self::Lock,
        Self::Unlock,
        Self::Campaign,
        Self::Proclaim,
        Self::Leader,
        Self::Observe,
        Self::Resign,
        Self::HealthWatch,
        Self::Watch,
    ];

    const fn facts(self) -> Facts {
        match self {
            Self::Range => Facts("/etcdserverpb.KV/Range", "get", Read, D),
            Self::RangeStream => Facts("/etcdserverpb.KV/RangeStream", "get (stream)", Read, D),
            Self::Put => Facts("/etcdserverpb.KV/Put", "put", Write, D),
            Self::DeleteRange => Facts("/etcdserverpb.KV/DeleteRange", "delete", Write, D),
            Self::Txn => Facts("/etcdserverpb.KV/Txn", "txn", Write, D),
            Self::Compact => Facts("/etcdserverpb.KV/Compact", "compact", Write, D),
            Self::LeaseGrant => Facts("/etcdserverpb.Lease/LeaseGrant", "lease grant", Idempotent, D),
            Self::LeaseRevoke => Facts("/etcdserverpb.Lease/LeaseRevoke", "lease revoke", Idempotent, D),
            Self::LeaseTimeToLive => {
                Facts("/etcdserverpb.Lease/LeaseTimeToLive", "lease time-to-live", Read, D)
            }
            Self::LeaseLeases => Facts("/etcdserverpb.Lease/LeaseLeases", "lease list", Read, D),
            Self::LeaseKeepAlive => {
                Facts("/etcdserverpb.Lease/LeaseKeepAlive", "lease keep-alive", Idempotent, D)
            }
            Self::MemberAdd => Facts("/etcdserverpb.Cluster/MemberAdd", "member add", Write, D),
            Self::MemberRemove => Facts("/etcdserverpb.Cluster/MemberRemove", "member remove", Write, D),
            Self::MemberUpdate => Facts("/etcdserverpb.Cluster/MemberUpdate", "member update", Write, D),
            Self::MemberList => Facts("/etcdserverpb.Cluster/MemberList", "member list", Read, D),
            Self::MemberPromote => {
                Facts("/etcdserverpb.Cluster/MemberPromote", "member promote", Forwarded, D)
            }
            Self::Alarm => Facts("/etcdserverpb.Maintenance/Alarm", "alarm", Write, D),
            Self::Status => Facts("/etcdserverpb.Maintenance/Status", "status", Read, D),
            Self::Defragment => Facts("/etcdserverpb.Maintenance/Defragment", "defragment", Write, U),
            Self::Hash => Facts("/etcdserverpb.Maintenance/Hash", "hash", Read, U),
            Self::HashKv => Facts("/etcdserverpb.Maintenance/HashKV", "hash KV", Read, U),
            Self::Snapshot => Facts("/etcdserverpb.Maintenance/Snapshot", "snapshot", Read, U),
            Self::MoveLeader => Facts("/etcdserverpb.Maintenance/MoveLeader", "move leader", Write, D),
            Self::Downgrade => Facts("/etcdserverpb.Maintenance/Downgrade", "downgrade", Write, D),
            Self::AuthEnable => Facts("/etcdserverpb.Auth/AuthEnable", "auth enable", Write, D),
            Self::AuthDisable => Facts("/etcdserverpb.Auth/AuthDisable", "auth disable", Write, D),
            Self::AuthStatus => Facts("/etcdserverpb.Auth/AuthStatus", "auth status", Read, D),
            Self::Authenticate => Facts("/etcdserverpb.Auth/Authenticate", "authenticate", Read, D),
            Self::UserAdd => Facts("/etcdserverpb.Auth/UserAdd", "user add", Write, D),
            Self::UserGet => Facts("/etcdserverpb.Auth/UserGet", "user get", Read, D),
            Self::UserList => Facts("/etcdserverpb.Auth/UserList", "user list", Read, D),
            Self::UserDelete => Facts("/etcdserverpb.Auth/UserDelete", "user delete", Write, D),
            Self::UserChangePassword => {
                Facts("/etcdserverpb.Auth/UserChangePassword", "user change-password", Write, D)
            }
            Self::UserGrantRole => Facts("/etcdserverpb.Auth/UserGrantRole", "user grant-role", Write, D),
            Self::UserRevokeRole => Facts("/etcdserverpb.Auth/UserRevokeRole", "user revoke-role", Write, D),
            Self::RoleAdd => Facts("/etcdserverpb.Auth/RoleAdd", "role add", Write, D),
            Self::RoleGet => Facts("/etcdserverpb.Auth/RoleGet", "role get", Read, D),
            Self::RoleList => Facts("/etcdserverpb.Auth/RoleList", "role list", Read, D),
            Self::RoleDelete => Facts("/etcdserverpb.Auth/RoleDelete", "role delete", Write, D),
            Self::RoleGrantPermission => {
                Facts("/etcdserverpb.Auth/RoleGrantPermission", "role grant-permission", Write, D)
            }
            Self::RoleRevokePermission => {
                Facts("/etcdserverpb.Auth/RoleRevokePermission", "role revoke-permission", Write, D)
            }
            Self::Lock => Facts("/v3lockpb.Lock/Lock", "lock", Write, U),
            Self::Unlock => Facts("/v3lockpb.Lock/Unlock", "unlock", Write, D),
            Self::Campaign => Facts("/v3electionpb.Election/Campaign", "campaign", Write, U),
            Self::Proclaim => Facts("/v3electionpb.Election/Proclaim", "proclaim", Write, D),
            Self::Leader => Facts("/v3electionpb.Election/Leader", "leader", Read, D),
            Self::Observe => Facts("/v3electionpb.Election/Observe", "observe", Read, U),
            Self::Resign => Facts("/v3electionpb.Election/Resign", "resign", Idempotent, D),
            Self::HealthWatch => Facts("/grpc.health.v1.Health/Watch", "health watch", Read, U),
            Self::Watch => Facts("/etcdserverpb.Watch/Watch", "watch", Read, U),
        }
    }

    /// Returns the position in [`Method::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn path(self) -> PathAndQuery {
        PathAndQuery::from_static(self.facts().0)
    }

    /// Returns the name of the operation for errors.
    pub(crate) fn operation(self) -> &'static str {
        self.facts().1
    }

    /// Returns the class of the RPC. The class of a Txn, an Alarm and a Downgrade depends on the request's content.
    pub(crate) fn class(self) -> Class {
        self.facts().2
    }

    /// Returns `true` if the response waits for other clients. Its latency then says nothing about the member.
    pub(crate) fn waits_for_others(self) -> bool {
        matches!(self, Self::Lock | Self::Campaign | Self::Observe)
    }

    /// Returns the default timeout of the RPC.
    pub(crate) fn default_timeout(self) -> DefaultTimeout {
        self.facts().3
    }
}

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Unary calls.
    Calls,
    /// Streams. They have connections of their own, so that unread data and long-lived streams do not affect calls.
    Streams,
    /// Calls that wait for other clients, such as Lock. On a peer that allows few concurrent requests, they must not
    /// occupy the slots that the awaited calls need.
    Waits,
}

/// The number of purposes.
pub(crate) const PURPOSES: usize = 3;

/// Adds the operation to an error that occurred before the call. Errors of the call itself already have it.
pub(crate) fn with_operation<T>(method: Method, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(method.operation()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_position() {
        for (position, method) in Method::ALL.into_iter().enumerate() {
            assert_eq!(method.index(), position, "{method:?}");
            let path = method.path();
            let packages = ["/etcdserverpb.", "/v3lockpb.", "/v3electionpb."];
            let etcds = packages.iter().any(|package| path.as_str().starts_with(package));
            assert!(etcds || method == Method::HealthWatch, "{method:?}");
        }
    }
}
