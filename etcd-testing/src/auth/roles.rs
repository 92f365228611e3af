//! Changes of roles and their permissions.

use bytes::Bytes;
use etcd_proto::authpb::Permission;
use etcd_proto::authpb::permission::Type;

use super::{Auth, ROOT};
use crate::line::Line;
use crate::rejection::{
    INVALID_AUTH_MGMT, PERMISSION_NOT_GIVEN, PERMISSION_NOT_GRANTED, ROLE_ALREADY_EXIST, ROLE_EMPTY,
    ROLE_NOT_FOUND, Rejection,
};

impl Auth {
    pub(crate) fn role_add(&mut self, name: &str) -> Result<(), Rejection> {
        if name.is_empty() {
            return Err(ROLE_EMPTY);
        }
        if self.roles.contains_key(name) {
            return Err(ROLE_ALREADY_EXIST);
        }
        self.roles.insert(name.to_owned(), Vec::new());
        self.changed();
        Ok(())
    }

    /// Deletes a role, and revokes it from all users.
    pub(crate) fn role_delete(&mut self, name: &str) -> Result<(), Rejection> {
        if self.enabled && name == ROOT {
            return Err(INVALID_AUTH_MGMT);
        }
        self.roles.remove(name).ok_or(ROLE_NOT_FOUND)?;
        for user in self.users.values_mut() {
            user.roles.remove(name);
        }
        self.changed();
        Ok(())
    }

    /// Grants a permission, or changes the type of one for the same range.
    pub(crate) fn role_grant(
        &mut self,
        name: &str,
        permission: Option<&Permission>,
    ) -> Result<(), Rejection> {
        let permission = permission.ok_or(PERMISSION_NOT_GIVEN)?;
        if !is_valid(permission) {
            return Err(INVALID_AUTH_MGMT);
        }
        let permissions = self.roles.get_mut(name).ok_or(ROLE_NOT_FOUND)?;
        // etcd looks at the first permission with this key only.
        let first = permissions.partition_point(|granted| granted.key < permission.key);
        match permissions.get_mut(first) {
            Some(granted) if granted.key == permission.key && granted.range_end == permission.range_end => {
                granted.perm_type = permission.perm_type;
            }
            _ => {
                permissions.push(permission.clone());
                permissions.sort_by(|a, b| a.key.cmp(&b.key));
            }
        }
        self.changed();
        Ok(())
    }

    pub(crate) fn role_revoke(
        &mut self,
        name: &str,
        key: &Bytes,
        range_end: &Bytes,
    ) -> Result<(), Rejection> {
        let permissions = self.roles.get_mut(name).ok_or(ROLE_NOT_FOUND)?;
        let granted = permissions.len();
        permissions.retain(|permission| permission.key != *key || permission.range_end != *range_end);
        if permissions.len() == granted {
            return Err(PERMISSION_NOT_GRANTED);
        }
        self.changed();
        Ok(())
    }

    /// Returns the permissions of a role. Since 3.6, the role `root` reports one for all keys.
    pub(crate) fn role_permissions(&self, name: &str, line: Line) -> Result<Vec<Permission>, Rejection> {
        let permissions = self.roles.get(name).ok_or(ROLE_NOT_FOUND)?;
        if name == ROOT && line >= Line::V3_6 {
            let all = Bytes::from_static(&[0]);
            return Ok(vec![Permission {
                perm_type: Type::Readwrite as i32,
                key: Bytes::new(),
                range_end: all,
            }]);
        }
        Ok(permissions.clone())
    }

    /// Returns the names of all roles, in order.
    pub(crate) fn role_names(&self) -> Vec<String> {
        self.roles.keys().cloned().collect()
    }
}

/// Returns whether a permission is for a key, for a range that is not empty, or for all keys from one on.
fn is_valid(permission: &Permission) -> bool {
    let (key, end) = (&permission.key, &permission.range_end);
    !key.is_empty() && (end.is_empty() || key < end || end[..] == [0])
}
