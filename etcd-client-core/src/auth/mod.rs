//! Users, roles and permissions.
//!
//! [`Client::auth`](crate::Client::auth) returns the [`AuthClient`]. A user has roles, and a role has permissions on keys.
//! [`AuthClient::enable`] requires a user `root` with the role `root`. How a client authenticates is set with
//! [`ClientBuilder::password`](crate::ClientBuilder::password) or
//! [`token_provider`](crate::ClientBuilder::token_provider).
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::auth::Permission;
//!
//! let auth = client.auth();
//! auth.role_add("writer").await?;
//! auth.role_grant_permission("writer", Permission::read_write("dir/").prefix()).await?;
//! auth.user_add("alice", "correct horse").await?;
//! auth.user_grant_role("alice", "writer").await?;
//! # Ok(())
//! # }
//! ```

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
