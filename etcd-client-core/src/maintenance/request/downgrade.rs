//! Downgrade: prepares the cluster for an older version of etcd.

use etcd_errors::{Code, Error};

use crate::{
    maintenance::MaintenanceService,
    request::{Unbound, bound::bindable},
    types::{Invalid, ResponseHeader},
};

/// Checks whether the cluster can be downgraded, starts a downgrade, or cancels it.
///
/// While a downgrade is enabled, members of the older version can join. The downgrade ends when all members run that
/// version.
///
/// # Errors
/// Fails with `ErrorKind::Unsupported` on servers before 3.5, which do not have this request.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled, except for a validation, which changes
/// nothing.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::{Downgrade, DowngradeAction};
///
/// let ask = Downgrade::new(DowngradeAction::validate("3.6"));
/// assert_eq!(ask.action.version(), Some("3.6"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Downgrade does nothing until it is awaited"]
pub struct Downgrade<B = Unbound> {
    /// The action to perform.
    pub action: DowngradeAction,
    pub(crate) binding: B,
}

bindable!(Downgrade { action } => DowngradeResponse, MaintenanceService.downgrade);

impl Downgrade {
    /// Creates a request that performs `action`.
    pub fn new(action: DowngradeAction) -> Self {
        Self { action, binding: Unbound }
    }
}

impl Downgrade {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the version is empty.
    pub fn validate(&self) -> Result<(), Error> {
        if self.action.version() == Some("") {
            let invalid = Invalid::new("version", "is empty: give the target version, such as 3.6");
            return Err(invalid.code(Code::WrongDowngradeVersionFormat).into());
        }
        Ok(())
    }
}

/// The action of a [`Downgrade`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DowngradeAction {
    /// Checks whether the cluster can be downgraded, without changing anything.
    Validate {
        /// The target version, such as `3.6`.
        version: String,
    },
    /// Starts a downgrade, which allows members of this version to join.
    Enable {
        /// The target version, such as `3.6`.
        version: String,
    },
    /// Cancels a downgrade in progress.
    Cancel,
}

impl DowngradeAction {
    /// Checks whether the cluster can be downgraded to `version`, such as `3.6`. It must be one minor version below
    /// the cluster's.
    pub fn validate(version: impl Into<String>) -> Self {
        Self::Validate { version: version.into() }
    }

    /// Starts a downgrade to `version`, such as `3.6`. It must be one minor version below the cluster's.
    pub fn enable(version: impl Into<String>) -> Self {
        Self::Enable { version: version.into() }
    }

    /// Returns the target version, if the action has one.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Validate { version } | Self::Enable { version } => Some(version),
            Self::Cancel => None,
        }
    }
}

/// The response to a [`Downgrade`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DowngradeResponse {
    /// The header of the response.
    pub header: ResponseHeader,
    /// The version of the cluster, such as `3.7` or `3.7.0`: the version of its oldest member.
    pub version: String,
}

impl DowngradeResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, version: impl Into<String>) -> Self {
        Self { header, version: version.into() }
    }
}
