//! The requests of etcd's services as one type.

use etcd_proto::etcdserverpb as pb;
use etcd_proto::{v3electionpb, v3lockpb};

macro_rules! calls {
    ($($name:ident($message:ty) $doc:literal;)*) => {
        /// A request to a member. Its `Debug` shows no passwords and no values.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Call {
            $(#[doc = $doc] $name($message),)*
        }

        $(impl From<$message> for Call {
            fn from(message: $message) -> Self {
                Self::$name(message)
            }
        })*
    };
}

calls! {
    Range(pb::RangeRequest) "A read, streamed or not.";
    Put(pb::PutRequest) "A put.";
    DeleteRange(pb::DeleteRangeRequest) "A deletion.";
    Txn(pb::TxnRequest) "A transaction.";
    Compact(pb::CompactionRequest) "A compaction.";
    WatchCreate(pb::WatchCreateRequest) "A new watch on a stream.";
    WatchCancel(pb::WatchCancelRequest) "The end of a watch on a stream.";
    WatchProgress(pb::WatchProgressRequest) "The wish for the progress of a stream.";
    LeaseGrant(pb::LeaseGrantRequest) "A new lease.";
    LeaseRevoke(pb::LeaseRevokeRequest) "The end of a lease.";
    LeaseKeepAlive(pb::LeaseKeepAliveRequest) "A renewal on a stream.";
    LeaseTimeToLive(pb::LeaseTimeToLiveRequest) "The remaining time of a lease.";
    LeaseLeases(pb::LeaseLeasesRequest) "The list of leases.";
    MemberList(pb::MemberListRequest) "The list of members.";
    Alarm(pb::AlarmRequest) "A question about alarms, or a change of them.";
    Status(pb::StatusRequest) "The status of the member.";
    Defragment(pb::DefragmentRequest) "A defragmentation.";
    Hash(pb::HashRequest) "The hash of the database.";
    HashKv(pb::HashKvRequest) "The hash of the keys at a revision.";
    AuthEnable(pb::AuthEnableRequest) "Enables authentication.";
    AuthDisable(pb::AuthDisableRequest) "Disables authentication.";
    AuthStatus(pb::AuthStatusRequest) "The status of authentication.";
    Authenticate(pb::AuthenticateRequest) "A password for a token.";
    UserAdd(pb::AuthUserAddRequest) "A new user.";
    UserGet(pb::AuthUserGetRequest) "The roles of a user.";
    UserList(pb::AuthUserListRequest) "The list of users.";
    UserDelete(pb::AuthUserDeleteRequest) "The end of a user.";
    UserChangePassword(pb::AuthUserChangePasswordRequest) "A new password.";
    UserGrantRole(pb::AuthUserGrantRoleRequest) "A role for a user.";
    UserRevokeRole(pb::AuthUserRevokeRoleRequest) "A role less for a user.";
    RoleAdd(pb::AuthRoleAddRequest) "A new role.";
    RoleGet(pb::AuthRoleGetRequest) "The permissions of a role.";
    RoleList(pb::AuthRoleListRequest) "The list of roles.";
    RoleDelete(pb::AuthRoleDeleteRequest) "The end of a role.";
    RoleGrantPermission(pb::AuthRoleGrantPermissionRequest) "A permission for a role.";
    RoleRevokePermission(pb::AuthRoleRevokePermissionRequest) "A permission less for a role.";
    Lock(v3lockpb::LockRequest) "A wait for a lock.";
    Unlock(v3lockpb::UnlockRequest) "The end of a lock.";
    Campaign(v3electionpb::CampaignRequest) "A wait to be elected.";
    Proclaim(v3electionpb::ProclaimRequest) "A new value of a leader.";
    Leader(v3electionpb::LeaderRequest) "The leader of an election, observed or not.";
    Resign(v3electionpb::ResignRequest) "The end of a leadership.";
}
