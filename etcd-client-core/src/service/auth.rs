//! The service of auth: its switch, users, roles and permissions. Logging in is the transport's affair.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

use super::CallOptions;
use crate::op::{
    AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthStatus, AuthStatusResponse,
    RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet, RoleGetResponse, RoleGrantPermission,
    RoleGrantPermissionResponse, RoleList, RoleListResponse, RoleRevokePermission,
    RoleRevokePermissionResponse, UserAdd, UserAddResponse, UserChangePassword, UserChangePasswordResponse,
    UserDelete, UserDeleteResponse, UserGet, UserGetResponse, UserGrantRole, UserGrantRoleResponse, UserList,
    UserListResponse, UserRevokeRole, UserRevokeRoleResponse,
};

/// The administration of auth.
#[async_trait]
pub trait Auth: Send + Sync + Debug {
    /// Turns auth on.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn enable(&self, op: AuthEnable, options: CallOptions) -> Result<AuthEnableResponse, Error>;

    /// Turns auth off.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn disable(&self, op: AuthDisable, options: CallOptions) -> Result<AuthDisableResponse, Error>;

    /// Asks whether auth is on.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn status(&self, op: AuthStatus, options: CallOptions) -> Result<AuthStatusResponse, Error>;

    /// Makes a user.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn user_add(&self, op: UserAdd, options: CallOptions) -> Result<UserAddResponse, Error>;

    /// Asks which roles a user has.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn user_get(&self, op: UserGet, options: CallOptions) -> Result<UserGetResponse, Error>;

    /// Lists all users.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn user_list(&self, op: UserList, options: CallOptions) -> Result<UserListResponse, Error>;

    /// Removes a user.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn user_delete(&self, op: UserDelete, options: CallOptions) -> Result<UserDeleteResponse, Error>;

    /// Gives a user another password.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn user_change_password(
        &self,
        op: UserChangePassword,
        options: CallOptions,
    ) -> Result<UserChangePasswordResponse, Error>;

    /// Gives a user a role.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn user_grant_role(
        &self,
        op: UserGrantRole,
        options: CallOptions,
    ) -> Result<UserGrantRoleResponse, Error>;

    /// Takes a role from a user.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn user_revoke_role(
        &self,
        op: UserRevokeRole,
        options: CallOptions,
    ) -> Result<UserRevokeRoleResponse, Error>;

    /// Makes a role.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn role_add(&self, op: RoleAdd, options: CallOptions) -> Result<RoleAddResponse, Error>;

    /// Asks which permissions a role has.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn role_get(&self, op: RoleGet, options: CallOptions) -> Result<RoleGetResponse, Error>;

    /// Lists all roles.
    ///
    /// # Errors
    /// Has no effect: the outcome is `NotApplied`.
    async fn role_list(&self, op: RoleList, options: CallOptions) -> Result<RoleListResponse, Error>;

    /// Removes a role.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn role_delete(&self, op: RoleDelete, options: CallOptions) -> Result<RoleDeleteResponse, Error>;

    /// Lets a role read or write keys.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn role_grant_permission(
        &self,
        op: RoleGrantPermission,
        options: CallOptions,
    ) -> Result<RoleGrantPermissionResponse, Error>;

    /// Takes a permission from a role.
    ///
    /// # Errors
    /// The outcome of the error says whether it may have been done all the same.
    async fn role_revoke_permission(
        &self,
        op: RoleRevokePermission,
        options: CallOptions,
    ) -> Result<RoleRevokePermissionResponse, Error>;
}
