//! AuthEnable: enables auth.

use crate::{
    auth::{AuthService, response::header_response},
    request::{Unbound, bound::bindable},
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
