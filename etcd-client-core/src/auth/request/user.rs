//! The requests about users and their passwords: add, get, list, delete and change password.

use etcd_errors::{Code, Error};

use crate::{
    auth::{
        AuthService,
        request::{header_response, named},
    },
    request::{Unbound, bound::bindable},
    types::{ResponseHeader, Secret},
};

/// Creates a user, who has no roles yet.
///
/// The server stores a bcrypt hash, which covers the first 72 bytes of the password. Newer servers reject longer
/// passwords. The client wipes its copy of the password when that copy is dropped. Bytes that the connection has
/// buffered are not wiped.
///
/// # Errors
/// Fails with `Code::UserAlreadyExist` if a user with this name exists.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserAdd;
///
/// let alice = UserAdd::new("alice", "correct horse");
/// let by_certificate = UserAdd::no_password("ci-runner");
/// assert!(by_certificate.password.is_none());
/// assert!(!format!("{alice:?}").contains("horse"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserAdd")]
#[must_use = "a UserAdd does nothing until it is awaited"]
pub struct UserAdd<B = Unbound> {
    /// The name of the user.
    pub user: String,
    /// The password; `None` for a user who can only log in with the common name of a client certificate.
    pub password: Option<Secret>,
    pub(crate) binding: B,
}

bindable!(UserAdd { user, password } => UserAddResponse, AuthService.user_add);

impl UserAdd {
    /// Creates a request for a user who logs in with `password`. An empty password is sent as it is; etcd accepts it.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { user: user.into(), password: Some(password.into()), binding: Unbound }
    }

    /// Creates a request for a user without a password, who can only log in with the common name of a client
    /// certificate.
    #[doc(alias = "UserAddWithOptions")]
    pub fn no_password(user: impl Into<String>) -> Self {
        Self { user: user.into(), password: None, binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserEmpty)?;
        Ok(())
    }
}

header_response!(UserAdd => UserAddResponse);

/// Requests the roles of a user.
///
/// A user without the role `root` can only request its own roles.
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserGet;
///
/// assert_eq!(UserGet::new("alice").user, "alice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserGet")]
#[must_use = "a UserGet does nothing until it is awaited"]
pub struct UserGet<B = Unbound> {
    /// The user.
    pub user: String,
    pub(crate) binding: B,
}

bindable!(UserGet { user } => UserGetResponse, AuthService.user_get);

impl UserGet {
    /// Creates a request for the roles of `user`.
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        Ok(())
    }
}

/// The response to a [`UserGet`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserGetResponse {
    /// The header of the response, with the revision of the store. Changes to auth do not advance it.
    pub header: ResponseHeader,
    /// The names of the roles, in ascending order.
    pub roles: Vec<String>,
}

impl UserGetResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, roles: Vec<String>) -> Self {
        Self { header, roles }
    }
}

/// Lists all users.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserList;
///
/// let list = UserList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "AuthUserList")]
#[must_use = "a UserList does nothing until it is awaited"]
pub struct UserList<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(UserList {} => UserListResponse, AuthService.user_list);

impl UserList {
    /// Creates a request that lists all users.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to a [`UserList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserListResponse {
    /// The header of the response, with the revision of the store. Changes to auth do not advance it.
    pub header: ResponseHeader,
    /// The names of the users, in ascending order.
    pub users: Vec<String>,
}

impl UserListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, users: Vec<String>) -> Self {
        Self { header, users }
    }
}

/// Deletes a user. All tokens of the user become invalid immediately.
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist, and with `Code::InvalidAuthMgmt` for the user `root`
/// while auth is enabled.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserDelete;
///
/// assert_eq!(UserDelete::new("alice").user, "alice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserDelete")]
#[must_use = "a UserDelete does nothing until it is awaited"]
pub struct UserDelete<B = Unbound> {
    /// The user.
    pub user: String,
    pub(crate) binding: B,
}

bindable!(UserDelete { user } => UserDeleteResponse, AuthService.user_delete);

impl UserDelete {
    /// Creates a request that deletes `user`.
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserDelete => UserDeleteResponse);

/// Changes the password of a user. All tokens of the user become invalid immediately.
///
/// A user who was created without a password still has none afterwards, which is not an error. For the storage of
/// passwords on the server and in this client, see [`UserAdd`].
///
/// # Errors
/// Fails with `Code::UserNotFound` if the user does not exist.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::UserChangePassword;
///
/// let change = UserChangePassword::new("alice", "battery staple");
/// assert!(!format!("{change:?}").contains("staple"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "AuthUserChangePassword")]
#[must_use = "a UserChangePassword does nothing until it is awaited"]
pub struct UserChangePassword<B = Unbound> {
    /// The user.
    pub user: String,
    /// The new password.
    pub password: Secret,
    pub(crate) binding: B,
}

bindable!(UserChangePassword { user, password } => UserChangePasswordResponse, AuthService.user_change_password);

impl UserChangePassword {
    /// Creates a request that sets the password of `user`.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { user: user.into(), password: password.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code.
    pub fn validate(&self) -> Result<(), Error> {
        named("user", &self.user, Code::UserNotFound)?;
        Ok(())
    }
}

header_response!(UserChangePassword => UserChangePasswordResponse);
