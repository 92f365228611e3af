//! The operations: their parameters, options and responses, and the validation before sending. An operation is plain
//! data until it is bound to a service. Its encoding is in `wire`.

mod alarm_disarm;
mod alarm_disarm_all;
mod alarm_list;
mod any;
mod auth;
mod bind;
mod compact;
mod compare;
mod defragment;
mod delete;
mod downgrade;
mod election;
mod get;
mod hash_backend;
mod hash_kv;
mod history_pin;
mod into_ops;
mod invalid;
mod key_range;
mod lease_grant;
mod lease_grant_kept;
mod lease_keep_alive;
mod lease_keep_alive_once;
mod lease_list;
mod lease_revoke;
mod lease_time_to_live;
mod limits;
mod member_add;
mod member_list;
mod member_promote;
mod member_remove;
mod member_update;
mod move_leader;
mod peer_url;
mod put;
mod server_lock;
mod server_unlock;
mod size;
mod sort;
mod status;
#[cfg(test)]
mod tests;
mod txn;
mod watch_create;

pub use alarm_disarm::{AlarmDisarm, AlarmDisarmResponse, AlarmDisarmSpec};
pub use alarm_disarm_all::{AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmAllSpec, AlarmFailure};
pub use alarm_list::{AlarmList, AlarmListResponse, AlarmListSpec};
pub use any::{Op, OpResponse};
pub use auth::{
    Access, AuthDisable, AuthDisableResponse, AuthDisableSpec, AuthEnable, AuthEnableResponse,
    AuthEnableSpec, AuthStatus, AuthStatusResponse, AuthStatusSpec, ParseAccessError, Permission, RoleAdd,
    RoleAddResponse, RoleAddSpec, RoleDelete, RoleDeleteResponse, RoleDeleteSpec, RoleGet, RoleGetResponse,
    RoleGetSpec, RoleGrantPermission, RoleGrantPermissionResponse, RoleGrantPermissionSpec, RoleList,
    RoleListResponse, RoleListSpec, RoleRevokePermission, RoleRevokePermissionResponse,
    RoleRevokePermissionSpec, UserAdd, UserAddResponse, UserAddSpec, UserChangePassword,
    UserChangePasswordResponse, UserChangePasswordSpec, UserDelete, UserDeleteResponse, UserDeleteSpec,
    UserGet, UserGetResponse, UserGetSpec, UserGrantRole, UserGrantRoleResponse, UserGrantRoleSpec, UserList,
    UserListResponse, UserListSpec, UserRevokeRole, UserRevokeRoleResponse, UserRevokeRoleSpec,
};
pub use bind::{
    AuthBound, Bound, ClusterBound, ElectionBound, LeaseBound, LockBound, MaintenanceBound, Unbound,
    WatchBound,
};
pub use compact::{Compact, CompactResponse, CompactSpec};
pub use compare::{Compare, CompareOp, CompareOperand, CompareSubject};
pub use defragment::{Defragment, DefragmentResponse, DefragmentSpec};
pub use delete::{Delete, DeleteResponse, DeleteSpec};
pub use downgrade::{Downgrade, DowngradeAction, DowngradeResponse, DowngradeSpec};
pub use election::{
    ElectionCampaign, ElectionCampaignResponse, ElectionCampaignSpec, ElectionLeader, ElectionLeaderResponse,
    ElectionLeaderSpec, ElectionObserve, ElectionObserveSpec, ElectionProclaim, ElectionProclaimResponse,
    ElectionProclaimSpec, ElectionResign, ElectionResignResponse, ElectionResignSpec, LeaderKey,
};
pub use get::{Get, GetResponse, GetSpec};
pub use hash_backend::{HashBackend, HashBackendResponse, HashBackendSpec};
pub use hash_kv::{HashKv, HashKvResponse, HashKvSpec};
pub(crate) use history_pin::HistoryPin;
pub use into_ops::{IntoCompares, IntoOps};
pub(crate) use invalid::Invalid;
pub use key_range::KeyRange;
pub(crate) use key_range::range_setters;
pub(crate) use lease_grant::MAX_TTL_SECONDS;
pub use lease_grant::{LeaseGrant, LeaseGrantResponse, LeaseGrantSpec};
pub use lease_grant_kept::LeaseGrantKept;
pub use lease_keep_alive::{LeaseGranted, LeaseKeepAlive, LeaseKeepAliveSpec};
pub use lease_keep_alive_once::{LeaseKeepAliveOnce, LeaseKeepAliveOnceSpec, LeaseKeepAliveResponse};
pub use lease_list::{LeaseList, LeaseListResponse, LeaseListSpec};
pub use lease_revoke::{LeaseRevoke, LeaseRevokeResponse, LeaseRevokeSpec};
pub use lease_time_to_live::{LeaseTimeToLive, LeaseTimeToLiveResponse, LeaseTimeToLiveSpec};
pub use limits::Limits;
pub use member_add::{MemberAdd, MemberAddResponse, MemberAddSpec};
pub use member_list::{MemberList, MemberListResponse, MemberListSpec};
pub use member_promote::{MemberPromote, MemberPromoteResponse, MemberPromoteSpec};
pub use member_remove::{MemberRemove, MemberRemoveResponse, MemberRemoveSpec};
pub use member_update::{MemberUpdate, MemberUpdateResponse, MemberUpdateSpec};
pub use move_leader::{MoveLeader, MoveLeaderResponse, MoveLeaderSpec};
pub use peer_url::PeerUrl;
pub use put::{Put, PutResponse, PutSpec};
pub use server_lock::{ServerLock, ServerLockResponse, ServerLockSpec};
pub use server_unlock::{ServerUnlock, ServerUnlockResponse, ServerUnlockSpec};
pub use sort::{SortOrder, SortTarget};
pub use status::{DbSizeQuota, DowngradeInfo, Status, StatusResponse, StatusSpec};
pub(crate) use txn::{Branch, add_linearizing_range};
pub use txn::{Txn, TxnResponse, TxnSpec};
pub use watch_create::{SlowReader, WatchCreate, WatchCreateSpec};
