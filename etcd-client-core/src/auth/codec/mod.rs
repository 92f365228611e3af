//! Conversions for the administration of users, roles and permissions.

pub(crate) mod done;
pub(crate) mod permission;
pub(crate) mod roles;
pub(crate) mod scrubbed;
pub(crate) mod switch;
#[cfg(test)]
mod tests;
pub(crate) mod users;

pub(crate) use crate::auth::codec::{
    roles::{
        role_add_request, role_add_response, role_delete_request, role_delete_response, role_get_request,
        role_get_response, role_grant_permission_request, role_grant_permission_response, role_list_request,
        role_list_response, role_revoke_permission_request, role_revoke_permission_response,
    },
    switch::{
        auth_disable_request, auth_disable_response, auth_enable_request, auth_enable_response,
        auth_status_request, auth_status_response,
    },
    users::{
        user_add_request, user_add_response, user_change_password_request, user_change_password_response,
        user_delete_request, user_delete_response, user_get_request, user_get_response,
        user_grant_role_request, user_grant_role_response, user_list_request, user_list_response,
        user_revoke_role_request, user_revoke_role_response,
    },
};
