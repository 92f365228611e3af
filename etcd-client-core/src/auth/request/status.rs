//! AuthStatus: requests the state of auth.

use crate::{
    auth::AuthService,
    request::{Unbound, bound::bindable},
    types::{AuthRevision, ResponseHeader},
};

/// Requests whether auth is enabled, and the revision of users, roles and permissions.
///
/// # Errors
/// Servers before 3.5 do not have this request (`Error::is_unsupported`).
///
/// # Examples
/// ```
/// use etcd_client_core::auth::AuthStatus;
///
/// let status = AuthStatus::new();
/// # let _ = status;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthStatus does nothing until it is awaited"]
pub struct AuthStatus<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(AuthStatus {} => AuthStatusResponse, AuthService.status);

impl AuthStatus {
    /// Creates a request for the state of auth.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to an [`AuthStatus`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthStatusResponse {
    /// The header of the response, with the revision of the store. Changes to auth do not advance it.
    pub header: ResponseHeader,
    /// Whether auth is enabled.
    pub enabled: bool,
    /// The auth revision, which increases with every change of users, roles and permissions.
    pub auth_revision: AuthRevision,
}

impl AuthStatusResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, enabled: bool, auth_revision: AuthRevision) -> Self {
        Self { header, enabled, auth_revision }
    }
}
