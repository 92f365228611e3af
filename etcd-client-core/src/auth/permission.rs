//! The permissions of a role on keys.

use std::{fmt, str::FromStr};

use etcd_errors::Code;

use crate::types::{Invalid, Key, KeyRange, range_setters};

/// The kind of access that a [`Permission`] grants.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::Access;
///
/// assert_eq!(Access::ReadWrite.to_string(), "READWRITE");
/// assert_eq!("readwrite".parse(), Ok(Access::ReadWrite));
/// assert_eq!(Access::Unknown(7).to_string(), "UNKNOWN(7)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "PermissionType")]
pub enum Access {
    /// Read and watch access.
    Read,
    /// Write and delete access.
    Write,
    /// Read, watch, write and delete access.
    ReadWrite,
    /// A kind of access of a newer server, by its number. It is never sent: a grant of it fails validation.
    Unknown(i32),
}

impl fmt::Display for Access {
    /// Formats the access in the spelling of etcd's protocol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.pad("READ"),
            Self::Write => f.pad("WRITE"),
            Self::ReadWrite => f.pad("READWRITE"),
            Self::Unknown(number) => write!(f, "UNKNOWN({number})"),
        }
    }
}

/// Parses the three names in upper or lower case, like `etcdctl role grant-permission`.
impl FromStr for Access {
    type Err = ParseAccessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |access: &Self| access.to_string().eq_ignore_ascii_case(text);
        [Self::Read, Self::Write, Self::ReadWrite].into_iter().find(named).ok_or(ParseAccessError(()))
    }
}

/// The error for a text that is not an [`Access`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAccessError(());

impl fmt::Display for ParseAccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("access must be read, write or readwrite")
    }
}

impl std::error::Error for ParseAccessError {}

/// A permission of a role on keys: on one key unless a range setter is called.
///
/// Two permissions are equal if they grant the same access to the same `key` and `range_end`, no matter how the range
/// was selected.
///
/// # Examples
/// ```
/// use etcd_client_core::auth::{Access, Permission};
/// use etcd_client_core::types::KeyRange;
///
/// let permission = Permission::read_write("dir/").prefix();
/// assert_eq!(permission, Permission::new(Access::ReadWrite, KeyRange::between("dir/", "dir0")));
/// assert_ne!(permission, Permission::read_write("dir/"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a permission does nothing until it is granted"]
pub struct Permission {
    /// The granted access.
    pub access: Access,
    /// The keys that can be accessed.
    pub range: KeyRange,
}

impl Permission {
    /// Creates a permission for `access` to the keys of `range`.
    pub fn new(access: Access, range: KeyRange) -> Self {
        Self { access, range }
    }

    /// Creates a permission to read and watch `key`.
    #[doc(alias = "PermRead")]
    pub fn read(key: impl Into<Key>) -> Self {
        Self::new(Access::Read, KeyRange::one(key))
    }

    /// Creates a permission to write and delete `key`.
    #[doc(alias = "PermWrite")]
    pub fn write(key: impl Into<Key>) -> Self {
        Self::new(Access::Write, KeyRange::one(key))
    }

    /// Creates a permission to read, watch, write and delete `key`.
    #[doc(alias = "PermReadWrite")]
    pub fn read_write(key: impl Into<Key>) -> Self {
        Self::new(Access::ReadWrite, KeyRange::one(key))
    }

    range_setters!(range);

    /// `isValidPermissionRange` (server/auth/range_perm_cache.go) rejects an empty key, with another code than a put
    /// does.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if let Access::Unknown(number) = self.access {
            return Err(Invalid::new(
                "access",
                format!("{number} is unknown to this client and cannot be granted"),
            ));
        }
        self.range.check_selectors()?;
        if self.range.bounds().0.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::InvalidAuthMgmt));
        }
        Ok(())
    }
}

impl PartialEq for Permission {
    fn eq(&self, other: &Self) -> bool {
        self.access == other.access && self.range.bounds() == other.range.bounds()
    }
}

impl Eq for Permission {}
