//! The administration of auth: its switch, users, roles and permissions.

pub(crate) mod disable;
pub(crate) mod enable;
pub(crate) mod role_add;
pub(crate) mod role_delete;
pub(crate) mod role_get;
pub(crate) mod role_grant_permission;
pub(crate) mod role_list;
pub(crate) mod role_revoke_permission;
pub(crate) mod status;
pub(crate) mod user_add;
pub(crate) mod user_change_password;
pub(crate) mod user_delete;
pub(crate) mod user_get;
pub(crate) mod user_grant_role;
pub(crate) mod user_list;
pub(crate) mod user_revoke_role;
