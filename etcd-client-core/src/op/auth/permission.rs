//! What a role may do with which keys.

use std::fmt;
use std::str::FromStr;

use etcd_errors::Code;

use crate::model::Key;
use crate::op::{Invalid, KeyRange, range_setters};

/// What may be done with the keys of a [`Permission`].
///
/// ```
/// use etcd_client_core::Access;
///
/// assert_eq!(Access::ReadWrite.to_string(), "READWRITE");
/// assert_eq!("readwrite".parse(), Ok(Access::ReadWrite));
/// assert_eq!(Access::Unknown(7).to_string(), "UNKNOWN(7)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// They may be read and watched.
    Read,
    /// They may be written and deleted.
    Write,
    /// Both.
    ReadWrite,
    /// What a newer server calls by this number. It is never sent: a grant of it is refused.
    Unknown(i32),
}

impl fmt::Display for Access {
    /// As etcd's own protocol spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.pad("READ"),
            Self::Write => f.pad("WRITE"),
            Self::ReadWrite => f.pad("READWRITE"),
            Self::Unknown(number) => write!(f, "UNKNOWN({number})"),
        }
    }
}

/// Reads the three names, in capitals or not, as `etcdctl role grant-permission` does.
impl FromStr for Access {
    type Err = ParseAccessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |access: &Self| access.to_string().eq_ignore_ascii_case(text);
        [Self::Read, Self::Write, Self::ReadWrite].into_iter().find(named).ok_or(ParseAccessError(()))
    }
}

/// The text names no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAccessError(());

impl fmt::Display for ParseAccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an access is read, write or readwrite")
    }
}

impl std::error::Error for ParseAccessError {}

/// What a role may do with which keys: one key unless a range setter follows.
///
/// Two permissions are equal when they allow the same for the same `key` and `range_end`, however the range was chosen.
///
/// ```
/// use etcd_client_core::{Access, KeyRange, Permission};
///
/// let permission = Permission::read_write("dir/").prefix();
/// assert_eq!(permission, Permission::new(Access::ReadWrite, KeyRange::between("dir/", "dir0")));
/// assert_ne!(permission, Permission::read_write("dir/"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a permission does nothing until it is granted"]
pub struct Permission {
    /// What may be done.
    pub access: Access,
    /// With which keys.
    pub range: KeyRange,
}

impl Permission {
    /// `access` to the keys of `range`.
    pub fn new(access: Access, range: KeyRange) -> Self {
        Self { access, range }
    }

    /// Reading and watching `key`.
    pub fn read(key: impl Into<Key>) -> Self {
        Self::new(Access::Read, KeyRange::one(key))
    }

    /// Writing and deleting `key`.
    pub fn write(key: impl Into<Key>) -> Self {
        Self::new(Access::Write, KeyRange::one(key))
    }

    /// Reading, watching, writing and deleting `key`.
    pub fn read_write(key: impl Into<Key>) -> Self {
        Self::new(Access::ReadWrite, KeyRange::one(key))
    }

    range_setters!(range);

    /// An empty key is for `isValidPermissionRange` (server/auth/range_perm_cache.go) no key, and its code is not that of a put.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        if let Access::Unknown(number) = self.access {
            return Err(Invalid::new("access", format!("{number} is not one that this client can send")));
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
