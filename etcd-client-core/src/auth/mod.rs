//! Users, roles and permissions.

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod name;
pub(crate) mod permission;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod service;
#[cfg(test)]
mod tests;

pub use client::AuthClient;
pub use permission::{Access, ParseAccessError, Permission};
pub use request::{
    disable::{AuthDisable, AuthDisableResponse},
    enable::{AuthEnable, AuthEnableResponse},
    role_add::{RoleAdd, RoleAddResponse},
    role_delete::{RoleDelete, RoleDeleteResponse},
    role_get::{RoleGet, RoleGetResponse},
    role_grant_permission::{RoleGrantPermission, RoleGrantPermissionResponse},
    role_list::{RoleList, RoleListResponse},
    role_revoke_permission::{RoleRevokePermission, RoleRevokePermissionResponse},
    status::{AuthStatus, AuthStatusResponse},
    user_add::{UserAdd, UserAddResponse},
    user_change_password::{UserChangePassword, UserChangePasswordResponse},
    user_delete::{UserDelete, UserDeleteResponse},
    user_get::{UserGet, UserGetResponse},
    user_grant_role::{UserGrantRole, UserGrantRoleResponse},
    user_list::{UserList, UserListResponse},
    user_revoke_role::{UserRevokeRole, UserRevokeRoleResponse},
};
pub use service::AuthService;
