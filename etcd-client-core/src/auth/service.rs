//! The auth service: its switch, users, roles and permissions. The transport performs the login.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    auth::{
        AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthStatus, AuthStatusResponse,
        RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet, RoleGetResponse,
        RoleGrantPermission, RoleGrantPermissionResponse, RoleList, RoleListResponse, RoleRevokePermission,
        RoleRevokePermissionResponse, UserAdd, UserAddResponse, UserChangePassword,
        UserChangePasswordResponse, UserDelete, UserDeleteResponse, UserGet, UserGetResponse, UserGrantRole,
        UserGrantRoleResponse, UserList, UserListResponse, UserRevokeRole, UserRevokeRoleResponse,
    },
    request::CallOptions,
};

/// The administration of auth: users, roles and permissions.
#[async_trait]
pub trait AuthService: Send + Sync + Debug {
    /// Enables auth.
    ///
    /// # Errors
    /// The outcome of the error shows whether auth may have been enabled.
    async fn enable(&self, op: AuthEnable, options: CallOptions) -> Result<AuthEnableResponse, Error>;

    /// Disables auth.
    ///
    /// # Errors
    /// The outcome of the error shows whether auth may have been disabled.
    async fn disable(&self, op: AuthDisable, options: CallOptions) -> Result<AuthDisableResponse, Error>;

    /// Returns the state of auth.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn status(&self, op: AuthStatus, options: CallOptions) -> Result<AuthStatusResponse, Error>;

    /// Creates a user.
    ///
    /// # Errors
    /// The outcome of the error shows whether the user may have been created.
    async fn user_add(&self, op: UserAdd, options: CallOptions) -> Result<UserAddResponse, Error>;

    /// Returns the roles of a user.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn user_get(&self, op: UserGet, options: CallOptions) -> Result<UserGetResponse, Error>;

    /// Lists all users.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn user_list(&self, op: UserList, options: CallOptions) -> Result<UserListResponse, Error>;

    /// Deletes a user.
    ///
    /// # Errors
    /// The outcome of the error shows whether the user may have been deleted.
    async fn user_delete(&self, op: UserDelete, options: CallOptions) -> Result<UserDeleteResponse, Error>;

    /// Changes the password of a user.
    ///
    /// # Errors
    /// The outcome of the error shows whether the password may have been changed.
    async fn user_change_password(
        &self,
        op: UserChangePassword,
        options: CallOptions,
    ) -> Result<UserChangePasswordResponse, Error>;

    /// Grants a role to a user.
    ///
    /// # Errors
    /// The outcome of the error shows whether the role may have been granted.
    async fn user_grant_role(
        &self,
        op: UserGrantRole,
        options: CallOptions,
    ) -> Result<UserGrantRoleResponse, Error>;

    /// Revokes a role from a user.
    ///
    /// # Errors
    /// The outcome of the error shows whether the role may have been revoked.
    async fn user_revoke_role(
        &self,
        op: UserRevokeRole,
        options: CallOptions,
    ) -> Result<UserRevokeRoleResponse, Error>;

    /// Creates a role.
    ///
    /// # Errors
    /// The outcome of the error shows whether the role may have been created.
    async fn role_add(&self, op: RoleAdd, options: CallOptions) -> Result<RoleAddResponse, Error>;

    /// Returns the permissions of a role.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn role_get(&self, op: RoleGet, options: CallOptions) -> Result<RoleGetResponse, Error>;

    /// Lists all roles.
    ///
    /// # Errors
    /// A failed call has no effect: its outcome is `NotApplied`.
    async fn role_list(&self, op: RoleList, options: CallOptions) -> Result<RoleListResponse, Error>;

    /// Deletes a role.
    ///
    /// # Errors
    /// The outcome of the error shows whether the role may have been deleted.
    async fn role_delete(&self, op: RoleDelete, options: CallOptions) -> Result<RoleDeleteResponse, Error>;

    /// Grants a permission to a role.
    ///
    /// # Errors
    /// The outcome of the error shows whether the permission may have been granted.
    async fn role_grant_permission(
        &self,
        op: RoleGrantPermission,
        options: CallOptions,
    ) -> Result<RoleGrantPermissionResponse, Error>;

    /// Revokes a permission from a role.
    ///
    /// # Errors
    /// The outcome of the error shows whether the permission may have been revoked.
    async fn role_revoke_permission(
        &self,
        op: RoleRevokePermission,
        options: CallOptions,
    ) -> Result<RoleRevokePermissionResponse, Error>;
}
