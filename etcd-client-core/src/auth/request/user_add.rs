//! UserAdd: creates a user.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named, response::header_response},
    request::{Unbound, bound::bindable},
    types::Secret,
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
}

impl UserAdd {
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
