//! UserGet: requests the roles of a user.

use etcd_errors::{Code, Error};

use crate::{
    auth::{AuthService, name::named},
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

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
}

impl UserGet {
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
