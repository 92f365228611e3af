//! The operations: what a caller asks for, its options, its answer, and the checks made before sending.
//! An operation is plain data until it is bound to a service; how it looks on the wire is `wire`'s affair.

mod any;
mod auth;
mod bind;
mod compact;
mod compare;
mod delete;
mod get;
mod into_ops;
mod invalid;
mod key_range;
mod lease_grant;
mod lease_list;
mod lease_revoke;
mod lease_time_to_live;
mod limits;
mod put;
mod size;
mod sort;
#[cfg(test)]
mod tests;
mod txn;

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
pub use bind::{AuthBound, Bound, LeaseBound, Unbound};
pub use compact::{Compact, CompactResponse, CompactSpec};
pub use compare::{Compare, CompareOp, CompareOperand, CompareSubject};
pub use delete::{Delete, DeleteResponse, DeleteSpec};
pub use get::{Get, GetResponse, GetSpec};
pub use into_ops::{IntoCompares, IntoOps};
pub(crate) use invalid::Invalid;
pub use key_range::KeyRange;
pub(crate) use key_range::range_setters;
pub use lease_grant::{LeaseGrant, LeaseGrantResponse, LeaseGrantSpec};
pub use lease_list::{LeaseList, LeaseListResponse, LeaseListSpec};
pub use lease_revoke::{LeaseRevoke, LeaseRevokeResponse, LeaseRevokeSpec};
pub use lease_time_to_live::{LeaseTimeToLive, LeaseTimeToLiveResponse, LeaseTimeToLiveSpec};
pub use limits::Limits;
pub use put::{Put, PutResponse, PutSpec};
pub use sort::{SortOrder, SortTarget};
pub(crate) use txn::{Branch, add_linearizing_range};
pub use txn::{Txn, TxnResponse, TxnSpec};
