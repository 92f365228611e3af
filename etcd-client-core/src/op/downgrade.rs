//! Downgrade: prepares the cluster for an older version of etcd.

use etcd_errors::{Code, Error};

use super::bind::bindable;
use super::{Invalid, Limits, Unbound};
use crate::model::ResponseHeader;

/// Asks whether the cluster can be downgraded, starts that, or gives it up. Servers before 3.5 do not have it
/// (`ErrorKind::Unsupported`).
///
/// A started downgrade lets members of the older version join; it ends when all members run it. Dropping the future leaves
/// the outcome unknown, but for a validation, which changes nothing.
///
/// ```
/// use etcd_client_core::{Downgrade, DowngradeAction};
///
/// let ask = Downgrade::new(DowngradeAction::validate("3.6"));
/// assert_eq!(ask.spec().action.version(), Some("3.6"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Downgrade does nothing until it is awaited"]
pub struct Downgrade<B = Unbound> {
    pub(super) spec: DowngradeSpec,
    pub(super) binding: B,
}

/// What a [`Downgrade`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DowngradeSpec {
    /// What to do.
    pub action: DowngradeAction,
}

bindable!(Downgrade, DowngradeSpec => DowngradeResponse, MaintenanceBound: Maintenance.downgrade);

impl Downgrade {
    /// Does `action`.
    pub fn new(action: DowngradeAction) -> Self {
        DowngradeSpec { action }.into()
    }
}

impl<B> Downgrade<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the version is empty.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        if self.spec.action.version() == Some("") {
            let invalid = Invalid::new("version", "is empty: write the one to go back to, like 3.6");
            return Err(invalid.code(Code::WrongDowngradeVersionFormat).into());
        }
        Ok(())
    }
}

/// What is to be done about a downgrade.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DowngradeAction {
    /// Says whether the cluster could be downgraded, and changes nothing.
    Validate {
        /// The version to go back to, such as `3.6`.
        version: String,
    },
    /// Lets members of this version join.
    Enable {
        /// The version to go back to, such as `3.6`.
        version: String,
    },
    /// Gives up a downgrade that is under way.
    Cancel,
}

impl DowngradeAction {
    /// Asks whether the cluster can be downgraded to `version`, such as `3.6`: one minor version below its own.
    pub fn validate(version: impl Into<String>) -> Self {
        Self::Validate { version: version.into() }
    }

    /// Starts a downgrade to `version`, such as `3.6`: one minor version below the cluster's own.
    pub fn enable(version: impl Into<String>) -> Self {
        Self::Enable { version: version.into() }
    }

    /// The version that it is about.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Validate { version } | Self::Enable { version } => Some(version),
            Self::Cancel => None,
        }
    }
}

/// The answer to a [`Downgrade`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DowngradeResponse {
    /// Who answered.
    pub header: ResponseHeader,
    /// The version of the cluster, such as `3.7` or `3.7.0`: that of its oldest member.
    pub version: String,
}

impl DowngradeResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, version: impl Into<String>) -> Self {
        Self { header, version: version.into() }
    }
}
