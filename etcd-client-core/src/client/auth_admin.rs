//! The administration of auth, bound to a client.

use crate::{
    model::{Key, Secret},
    op::{
        AuthBound, AuthDisable, AuthEnable, AuthStatus, Permission, RoleAdd, RoleDelete, RoleGet,
        RoleGrantPermission, RoleList, RoleRevokePermission, UserAdd, UserChangePassword, UserDelete,
        UserGet, UserGrantRole, UserList, UserRevokeRole,
    },
    service::Auth,
};

/// What [`Client::auth`](crate::Client::auth) gives: one method for each operation on auth.
///
/// Once auth is on, all but [`status`](Self::status), and but asking about oneself, need the role `root`.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client, secret: String) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::Permission;
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
pub struct AuthAdmin<'a> {
    service: &'a dyn Auth,
}

impl<'a> AuthAdmin<'a> {
    /// The operations on any auth service.
    pub fn new(service: &'a dyn Auth) -> Self {
        Self { service }
    }

    /// Turns auth on. The user `root` must exist and have the role `root`.
    pub fn enable(self) -> AuthEnable<AuthBound<'a>> {
        AuthEnable::new().bind(self.service)
    }

    /// Turns auth off. Users, roles and permissions stay.
    pub fn disable(self) -> AuthDisable<AuthBound<'a>> {
        AuthDisable::new().bind(self.service)
    }

    /// Asks whether auth is on. Since etcd 3.5.
    pub fn status(self) -> AuthStatus<AuthBound<'a>> {
        AuthStatus::new().bind(self.service)
    }

    /// Makes a user who logs in with a password.
    pub fn user_add(self, user: impl Into<String>, password: impl Into<Secret>) -> UserAdd<AuthBound<'a>> {
        UserAdd::new(user, password).bind(self.service)
    }

    /// Makes a user who logs in by the common name of a client certificate only.
    pub fn user_add_no_password(self, user: impl Into<String>) -> UserAdd<AuthBound<'a>> {
        UserAdd::no_password(user).bind(self.service)
    }

    /// Asks which roles a user has.
    pub fn user_get(self, user: impl Into<String>) -> UserGet<AuthBound<'a>> {
        UserGet::new(user).bind(self.service)
    }

    /// Lists all users.
    pub fn user_list(self) -> UserList<AuthBound<'a>> {
        UserList::new().bind(self.service)
    }

    /// Removes a user.
    pub fn user_delete(self, user: impl Into<String>) -> UserDelete<AuthBound<'a>> {
        UserDelete::new(user).bind(self.service)
    }

    /// Gives a user another password.
    pub fn user_change_password(
        self,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> UserChangePassword<AuthBound<'a>> {
        UserChangePassword::new(user, password).bind(self.service)
    }

    /// Gives a user a role.
    pub fn user_grant_role(
        self,
        user: impl Into<String>,
        role: impl Into<String>,
    ) -> UserGrantRole<AuthBound<'a>> {
        UserGrantRole::new(user, role).bind(self.service)
    }

    /// Takes a role from a user.
    pub fn user_revoke_role(
        self,
        user: impl Into<String>,
        role: impl Into<String>,
    ) -> UserRevokeRole<AuthBound<'a>> {
        UserRevokeRole::new(user, role).bind(self.service)
    }

    /// Makes a role.
    pub fn role_add(self, role: impl Into<String>) -> RoleAdd<AuthBound<'a>> {
        RoleAdd::new(role).bind(self.service)
    }

    /// Asks which permissions a role has.
    pub fn role_get(self, role: impl Into<String>) -> RoleGet<AuthBound<'a>> {
        RoleGet::new(role).bind(self.service)
    }

    /// Lists all roles.
    pub fn role_list(self) -> RoleList<AuthBound<'a>> {
        RoleList::new().bind(self.service)
    }

    /// Removes a role, and takes it from all who have it.
    pub fn role_delete(self, role: impl Into<String>) -> RoleDelete<AuthBound<'a>> {
        RoleDelete::new(role).bind(self.service)
    }

    /// Lets a role read or write keys.
    pub fn role_grant_permission(
        self,
        role: impl Into<String>,
        permission: Permission,
    ) -> RoleGrantPermission<AuthBound<'a>> {
        RoleGrantPermission::new(role, permission).bind(self.service)
    }

    /// Takes from a role the permission for exactly `key`, or with a range setter the one for exactly that range.
    pub fn role_revoke_permission(
        self,
        role: impl Into<String>,
        key: impl Into<Key>,
    ) -> RoleRevokePermission<AuthBound<'a>> {
        RoleRevokePermission::new(role, key).bind(self.service)
    }
}
