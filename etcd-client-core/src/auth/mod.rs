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
pub(crate) mod permission;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;
#[cfg(test)]
mod tests;

pub use client::AuthClient;
pub use permission::{Access, ParseAccessError, Permission};
pub use request::{
    AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthStatus, AuthStatusResponse,
    grant::{
        RoleGrantPermission, RoleGrantPermissionResponse, RoleRevokePermission, RoleRevokePermissionResponse,
        UserGrantRole, UserGrantRoleResponse, UserRevokeRole, UserRevokeRoleResponse,
    },
    role::{
        RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet, RoleGetResponse, RoleList,
        RoleListResponse,
    },
    user::{
        UserAdd, UserAddResponse, UserChangePassword, UserChangePasswordResponse, UserDelete,
        UserDeleteResponse, UserGet, UserGetResponse, UserList, UserListResponse,
    },
};
pub use service::AuthService;
