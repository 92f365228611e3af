//! Conversions for permissions.

use etcd_proto::{authpb, authpb::permission::Type};

use crate::{
    auth::{Access, Permission},
    types::KeyRange,
};

/// Encodes a permission. Returns `None` for an access that this crate has no name for: unknown numbers are never
/// sent, and etcd rejects a grant without a permission.
pub(crate) fn to_message(permission: &Permission) -> Option<authpb::Permission> {
    let perm_type = match permission.access {
        Access::Read => Type::Read,
        Access::Write => Type::Write,
        Access::ReadWrite => Type::Readwrite,
        Access::Unknown(_) => return None,
    };
    let (key, range_end) = permission.range.bounds();
    Some(authpb::Permission { perm_type: perm_type.into(), key, range_end })
}

/// Decodes a permission. Every number and every range is kept, so that a grant made by a newer server can be
/// displayed and revoked.
pub(crate) fn from_message(message: authpb::Permission) -> Permission {
    let access = match Type::try_from(message.perm_type) {
        Ok(Type::Read) => Access::Read,
        Ok(Type::Write) => Access::Write,
        Ok(Type::Readwrite) => Access::ReadWrite,
        Err(_) => Access::Unknown(message.perm_type),
    };
    Permission::new(access, KeyRange::from_bounds(message.key, message.range_end))
}
