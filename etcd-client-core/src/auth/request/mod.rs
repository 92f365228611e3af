//! The requests of the Auth service and their responses: enable, disable and status.
//!
//! The requests about users are in `user`, those about roles in `role`, and those that connect the two in `grant`.

pub(crate) mod grant;
pub(crate) mod role;
pub(crate) mod user;

use etcd_errors::Code;

use crate::{
    auth::AuthService,
    request::{Unbound, bound::bindable},
    types::{AuthRevision, Invalid, ResponseHeader},
};

/// Enables auth, after which every call needs a user.
///
/// Nothing changes if auth is already enabled.
///
/// # Errors
/// The user `root` with the role `root` must exist. Otherwise the call fails with `Code::RootUserNotExist` or
/// `Code::RootRoleNotExist`.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::AuthEnable;
///
/// let enable = AuthEnable::new();
/// # let _ = enable;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthEnable does nothing until it is awaited"]
pub struct AuthEnable<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(AuthEnable {} => AuthEnableResponse, AuthService.enable);

impl AuthEnable {
    /// Creates a request that enables auth.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

header_response!(AuthEnable => AuthEnableResponse);

/// Disables auth, after which every client may do everything. Users, roles and their permissions are kept.
///
/// Nothing changes if auth is already disabled.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::AuthDisable;
///
/// let disable = AuthDisable::new();
/// # let _ = disable;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AuthDisable does nothing until it is awaited"]
pub struct AuthDisable<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(AuthDisable {} => AuthDisableResponse, AuthService.disable);

impl AuthDisable {
    /// Creates a request that disables auth.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

header_response!(AuthDisable => AuthDisableResponse);

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

/// Rejects an empty name with the code that etcd returns for it.
pub(crate) fn named(field: &'static str, name: &str, code: Code) -> Result<(), Invalid> {
    if name.is_empty() { Err(Invalid::new(field, "is empty").code(code)) } else { Ok(()) }
}

/// Defines the response type of an operation whose response contains only a header.
macro_rules! header_response {
    ($op:ident => $name:ident) => {
        #[doc = concat!("The response to [`", stringify!($op), "`].")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// The header of the response, with the revision of the store. Changes to auth do not advance it.
            pub header: $crate::types::ResponseHeader,
        }

        impl $name {
            /// Creates a response.
            pub fn new(header: $crate::types::ResponseHeader) -> Self {
                Self { header }
            }
        }
    };
}

pub(crate) use header_response;
