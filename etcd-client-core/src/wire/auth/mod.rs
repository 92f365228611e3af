//! Conversions for the administration of users, roles and permissions.

mod done;
mod permission;
mod roles;
mod scrubbed;
mod switch;
#[cfg(test)]
mod tests;
mod users;

pub(crate) use roles::{
    role_add_request, role_add_response, role_delete_request, role_delete_response, role_get_request,
    role_get_response, role_grant_permission_request, role_grant_permission_response, role_list_request,
    role_list_response, role_revoke_permission_request, role_revoke_permission_response,
};
pub(crate) use switch::{
    auth_disable_request, auth_disable_response, auth_enable_request, auth_enable_response,
    auth_status_request, auth_status_response,
};
pub(crate) use users::{
    user_add_request, user_add_response, user_change_password_request, user_change_password_response,
    user_delete_request, user_delete_response, user_get_request, user_get_response, user_grant_role_request,
    user_grant_role_response, user_list_request, user_list_response, user_revoke_role_request,
    user_revoke_role_response,
};
