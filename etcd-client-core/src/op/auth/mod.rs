//! The administration of auth: its switch, users, roles and permissions.

mod disable;
mod enable;
mod name;
mod permission;
mod response;
mod role_add;
mod role_delete;
mod role_get;
mod role_grant_permission;
mod role_list;
mod role_revoke_permission;
mod status;
#[cfg(test)]
mod tests;
mod user_add;
mod user_change_password;
mod user_delete;
mod user_get;
mod user_grant_role;
mod user_list;
mod user_revoke_role;

pub use disable::{AuthDisable, AuthDisableResponse, AuthDisableSpec};
pub use enable::{AuthEnable, AuthEnableResponse, AuthEnableSpec};
pub use permission::{Access, ParseAccessError, Permission};
pub use role_add::{RoleAdd, RoleAddResponse, RoleAddSpec};
pub use role_delete::{RoleDelete, RoleDeleteResponse, RoleDeleteSpec};
pub use role_get::{RoleGet, RoleGetResponse, RoleGetSpec};
pub use role_grant_permission::{RoleGrantPermission, RoleGrantPermissionResponse, RoleGrantPermissionSpec};
pub use role_list::{RoleList, RoleListResponse, RoleListSpec};
pub use role_revoke_permission::{
    RoleRevokePermission, RoleRevokePermissionResponse, RoleRevokePermissionSpec,
};
pub use status::{AuthStatus, AuthStatusResponse, AuthStatusSpec};
pub use user_add::{UserAdd, UserAddResponse, UserAddSpec};
pub use user_change_password::{UserChangePassword, UserChangePasswordResponse, UserChangePasswordSpec};
pub use user_delete::{UserDelete, UserDeleteResponse, UserDeleteSpec};
pub use user_get::{UserGet, UserGetResponse, UserGetSpec};
pub use user_grant_role::{UserGrantRole, UserGrantRoleResponse, UserGrantRoleSpec};
pub use user_list::{UserList, UserListResponse, UserListSpec};
pub use user_revoke_role::{UserRevokeRole, UserRevokeRoleResponse, UserRevokeRoleSpec};
