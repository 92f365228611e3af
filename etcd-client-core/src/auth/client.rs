//! The auth operations, bound to a client.

use crate::{
    auth::{
        AuthDisable, AuthEnable, AuthService, AuthStatus, Permission, RoleAdd, RoleDelete, RoleGet,
        RoleGrantPermission, RoleList, RoleRevokePermission, UserAdd, UserChangePassword, UserDelete,
        UserGet, UserGrantRole, UserList, UserRevokeRole,
    },
    request::Bound,
    types::{Key, Secret},
};

/// The auth operations of a client, returned by [`Client::auth`](crate::client::Client::auth).
///
/// Each method returns an operation that is awaited. Once auth is enabled, every operation needs the role `root`, except
/// [`status`](Self::status) and reading one's own user and roles. Other users get
/// [`Code::PermissionDenied`](crate::Code::PermissionDenied).
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// # let secret = String::new();
/// use etcd_client_core::auth::Permission;
///
/// let auth = client.auth();
/// auth.role_add("writer").await?;
/// auth.role_grant_permission("writer", Permission::read_write("dir/").prefix()).await?;
/// auth.user_add("alice", "correct horse").await?;
/// auth.user_grant_role("alice", "writer").await?;
///
/// auth.user_add("root", secret).await?;
/// auth.user_grant_role("root", "root").await?;
/// auth.enable().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AuthClient<'a> {
    service: &'a dyn AuthService,
}

impl<'a> AuthClient<'a> {
    /// Creates a handle on any auth service, such as a wrapper or a mock.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::auth::{AuthService, AuthClient};
    ///
    /// fn admin(service: &dyn AuthService) -> AuthClient<'_> {
    ///     AuthClient::new(service)
    /// }
    /// ```
    pub fn new(service: &'a dyn AuthService) -> Self {
        Self { service }
    }

    /// Enables auth. From then on every call needs a user.
    ///
    /// The user `root` must exist and have the role `root`. Enabling auth twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`Code::RootUserNotExist`](crate::Code::RootUserNotExist) or [`Code::RootRoleNotExist`](crate::Code::RootRoleNotExist) if the user `root` is
    /// missing or lacks the role `root`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().enable().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AuthEnable")]
    #[doc(alias = "auth_enable")]
    pub fn enable(self) -> AuthEnable<Bound<'a, dyn AuthService>> {
        AuthEnable::new().bind(self.service)
    }

    /// Disables auth. From then on every caller may do everything. Users, roles and permissions are kept.
    ///
    /// Disabling auth twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`Code::PermissionDenied`](crate::Code::PermissionDenied) if the user lacks the role `root`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().disable().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AuthDisable")]
    #[doc(alias = "auth_disable")]
    pub fn disable(self) -> AuthDisable<Bound<'a, dyn AuthService>> {
        AuthDisable::new().bind(self.service)
    }

    /// Returns whether auth is enabled, and the revision of the auth store. Needs etcd 3.5 or later.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let status = client.auth().status().await?;
    /// println!("auth enabled: {}", status.enabled);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AuthStatus")]
    pub fn status(self) -> AuthStatus<Bound<'a, dyn AuthService>> {
        AuthStatus::new().bind(self.service)
    }

    /// Adds a user that authenticates with a password.
    ///
    /// # Errors
    ///
    /// [`Code::UserAlreadyExist`](crate::Code::UserAlreadyExist) if the user exists. [`Code::UserEmpty`](crate::Code::UserEmpty) for an empty name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().user_add("alice", "correct horse").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserAdd")]
    pub fn user_add(
        self,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> UserAdd<Bound<'a, dyn AuthService>> {
        UserAdd::new(user, password).bind(self.service)
    }

    /// Adds a user without a password. Such a user authenticates only by the common name of a client certificate.
    ///
    /// # Errors
    ///
    /// [`Code::UserAlreadyExist`](crate::Code::UserAlreadyExist) if the user exists. [`Code::UserEmpty`](crate::Code::UserEmpty) for an empty name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().user_add_no_password("web-7").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserAddWithOptions")]
    pub fn user_add_no_password(self, user: impl Into<String>) -> UserAdd<Bound<'a, dyn AuthService>> {
        UserAdd::no_password(user).bind(self.service)
    }

    /// Returns the roles of a user.
    ///
    /// # Errors
    ///
    /// [`Code::UserNotFound`](crate::Code::UserNotFound) if the user does not exist.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let alice = client.auth().user_get("alice").await?;
    /// println!("roles: {:?}", alice.roles);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserGet")]
    pub fn user_get(self, user: impl Into<String>) -> UserGet<Bound<'a, dyn AuthService>> {
        UserGet::new(user).bind(self.service)
    }

    /// Lists all users.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// println!("{:?}", client.auth().user_list().await?.users);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserList")]
    pub fn user_list(self) -> UserList<Bound<'a, dyn AuthService>> {
        UserList::new().bind(self.service)
    }

    /// Deletes a user.
    ///
    /// # Errors
    ///
    /// [`Code::UserNotFound`](crate::Code::UserNotFound) if the user does not exist. [`Code::InvalidAuthMgmt`](crate::Code::InvalidAuthMgmt) for the
    /// user `root` while auth is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().user_delete("alice").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserDelete")]
    pub fn user_delete(self, user: impl Into<String>) -> UserDelete<Bound<'a, dyn AuthService>> {
        UserDelete::new(user).bind(self.service)
    }

    /// Sets the password of a user.
    ///
    /// # Errors
    ///
    /// [`Code::UserNotFound`](crate::Code::UserNotFound) if the user does not exist.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().user_change_password("alice", "battery staple").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserChangePassword")]
    pub fn user_change_password(
        self,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> UserChangePassword<Bound<'a, dyn AuthService>> {
        UserChangePassword::new(user, password).bind(self.service)
    }

    /// Grants a role to a user.
    ///
    /// # Errors
    ///
    /// [`Code::UserNotFound`](crate::Code::UserNotFound) or [`Code::RoleNotFound`](crate::Code::RoleNotFound) if the user or the role does not exist.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().user_grant_role("alice", "writer").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserGrantRole")]
    pub fn user_grant_role(
        self,
        user: impl Into<String>,
        role: impl Into<String>,
    ) -> UserGrantRole<Bound<'a, dyn AuthService>> {
        UserGrantRole::new(user, role).bind(self.service)
    }

    /// Revokes a role from a user.
    ///
    /// # Errors
    ///
    /// [`Code::RoleNotGranted`](crate::Code::RoleNotGranted) if the user does not have the role. [`Code::UserNotFound`](crate::Code::UserNotFound)
    /// if the user does not exist. [`Code::InvalidAuthMgmt`](crate::Code::InvalidAuthMgmt) for the role `root` of the user `root`
    /// while auth is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().user_revoke_role("alice", "writer").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "UserRevokeRole")]
    pub fn user_revoke_role(
        self,
        user: impl Into<String>,
        role: impl Into<String>,
    ) -> UserRevokeRole<Bound<'a, dyn AuthService>> {
        UserRevokeRole::new(user, role).bind(self.service)
    }

    /// Adds a role without permissions.
    ///
    /// # Errors
    ///
    /// [`Code::RoleAlreadyExist`](crate::Code::RoleAlreadyExist) if the role exists. [`Code::RoleEmpty`](crate::Code::RoleEmpty) for an empty name.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().role_add("writer").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RoleAdd")]
    pub fn role_add(self, role: impl Into<String>) -> RoleAdd<Bound<'a, dyn AuthService>> {
        RoleAdd::new(role).bind(self.service)
    }

    /// Returns the permissions of a role.
    ///
    /// # Errors
    ///
    /// [`Code::RoleNotFound`](crate::Code::RoleNotFound) if the role does not exist.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// for permission in client.auth().role_get("writer").await?.permissions {
    ///     println!("{permission:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RoleGet")]
    pub fn role_get(self, role: impl Into<String>) -> RoleGet<Bound<'a, dyn AuthService>> {
        RoleGet::new(role).bind(self.service)
    }

    /// Lists all roles.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// println!("{:?}", client.auth().role_list().await?.roles);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RoleList")]
    pub fn role_list(self) -> RoleList<Bound<'a, dyn AuthService>> {
        RoleList::new().bind(self.service)
    }

    /// Deletes a role and revokes it from every user that has it.
    ///
    /// # Errors
    ///
    /// [`Code::RoleNotFound`](crate::Code::RoleNotFound) if the role does not exist. [`Code::InvalidAuthMgmt`](crate::Code::InvalidAuthMgmt) for the
    /// role `root` while auth is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().role_delete("writer").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RoleDelete")]
    pub fn role_delete(self, role: impl Into<String>) -> RoleDelete<Bound<'a, dyn AuthService>> {
        RoleDelete::new(role).bind(self.service)
    }

    /// Grants a role permission to read or write a key or a range of keys.
    ///
    /// # Errors
    ///
    /// [`Code::RoleNotFound`](crate::Code::RoleNotFound) if the role does not exist.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::auth::Permission;
    ///
    /// client.auth().role_grant_permission("writer", Permission::read_write("dir/").prefix()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RoleGrantPermission")]
    pub fn role_grant_permission(
        self,
        role: impl Into<String>,
        permission: Permission,
    ) -> RoleGrantPermission<Bound<'a, dyn AuthService>> {
        RoleGrantPermission::new(role, permission).bind(self.service)
    }

    /// Revokes the permission of a role for exactly `key` or, with a range setter, for exactly that range.
    ///
    /// Permissions for other ranges are kept, even if they overlap.
    ///
    /// # Errors
    ///
    /// [`Code::PermissionNotGranted`](crate::Code::PermissionNotGranted) if the role has no permission for exactly this range.
    /// [`Code::RoleNotFound`](crate::Code::RoleNotFound) if the role does not exist.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.auth().role_revoke_permission("writer", "dir/").prefix().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RoleRevokePermission")]
    pub fn role_revoke_permission(
        self,
        role: impl Into<String>,
        key: impl Into<Key>,
    ) -> RoleRevokePermission<Bound<'a, dyn AuthService>> {
        RoleRevokePermission::new(role, key).bind(self.service)
    }
}
