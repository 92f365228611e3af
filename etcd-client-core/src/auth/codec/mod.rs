//! Conversions for the administration of users, roles and permissions.

mod scrubbed;
#[cfg(test)]
mod tests;

use etcd_errors::Error;
use etcd_proto::{authpb, authpb::permission::Type, etcdserverpb as pb};

use crate::{
    auth::{
        Access, AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthStatus,
        AuthStatusResponse, Permission, RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet,
        RoleGetResponse, RoleGrantPermission, RoleGrantPermissionResponse, RoleList, RoleListResponse,
        RoleRevokePermission, RoleRevokePermissionResponse, UserAdd, UserAddResponse, UserChangePassword,
        UserChangePasswordResponse, UserDelete, UserDeleteResponse, UserGet, UserGetResponse, UserGrantRole,
        UserGrantRoleResponse, UserList, UserListResponse, UserRevokeRole, UserRevokeRoleResponse,
        codec::scrubbed::Scrubbed,
    },
    request::header::{Effect, answers, required},
    types::{AuthRevision, KeyRange},
};

answers!(pb:
    AuthEnableResponse,
    AuthDisableResponse,
    AuthStatusResponse,
    AuthUserAddResponse,
    AuthUserGetResponse,
    AuthUserListResponse,
    AuthUserDeleteResponse,
    AuthUserChangePasswordResponse,
    AuthUserGrantRoleResponse,
    AuthUserRevokeRoleResponse,
    AuthRoleAddResponse,
    AuthRoleGetResponse,
    AuthRoleListResponse,
    AuthRoleDeleteResponse,
    AuthRoleGrantPermissionResponse,
    AuthRoleRevokePermissionResponse,
);

/// Defines functions that convert a response that is nothing but a header. A missing header is a protocol error.
macro_rules! done {
    ($($name:ident: $message:ident => $response:ident),+ $(,)?) => {
        $(pub(crate) fn $name(response: pb::$message) -> Result<$response, Error> {
            Ok($response::new(required(response.header, Effect::Writes)?))
        })+
    };
}

pub(crate) fn auth_enable_request(_enable: AuthEnable) -> pb::AuthEnableRequest {
    pb::AuthEnableRequest {}
}

pub(crate) fn auth_disable_request(_disable: AuthDisable) -> pb::AuthDisableRequest {
    pb::AuthDisableRequest {}
}

pub(crate) fn auth_status_request(_status: AuthStatus) -> pb::AuthStatusRequest {
    pb::AuthStatusRequest {}
}

done! {
    auth_enable_response: AuthEnableResponse => AuthEnableResponse,
    auth_disable_response: AuthDisableResponse => AuthDisableResponse,
}

pub(crate) fn auth_status_response(response: pb::AuthStatusResponse) -> Result<AuthStatusResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    Ok(AuthStatusResponse::new(header, response.enabled, AuthRevision::new(response.auth_revision)))
}

pub(crate) fn user_add_request(add: UserAdd) -> Scrubbed<pb::AuthUserAddRequest> {
    let no_password = add.password.is_none();
    let password = add.password.map(|password| password.expose().to_owned());
    Scrubbed::new(pb::AuthUserAddRequest {
        name: add.user,
        password: password.unwrap_or_default(),
        options: Some(authpb::UserAddOptions { no_password }),
        hashed_password: String::new(),
    })
}

pub(crate) fn user_get_request(get: UserGet) -> pb::AuthUserGetRequest {
    pb::AuthUserGetRequest { name: get.user }
}

pub(crate) fn user_list_request(_list: UserList) -> pb::AuthUserListRequest {
    pb::AuthUserListRequest {}
}

pub(crate) fn user_delete_request(delete: UserDelete) -> pb::AuthUserDeleteRequest {
    pb::AuthUserDeleteRequest { name: delete.user }
}

pub(crate) fn user_change_password_request(
    change: UserChangePassword,
) -> Scrubbed<pb::AuthUserChangePasswordRequest> {
    Scrubbed::new(pb::AuthUserChangePasswordRequest {
        name: change.user,
        password: change.password.expose().to_owned(),
        hashed_password: String::new(),
    })
}

pub(crate) fn user_grant_role_request(grant: UserGrantRole) -> pb::AuthUserGrantRoleRequest {
    pb::AuthUserGrantRoleRequest { user: grant.user, role: grant.role }
}

pub(crate) fn user_revoke_role_request(revoke: UserRevokeRole) -> pb::AuthUserRevokeRoleRequest {
    pb::AuthUserRevokeRoleRequest { name: revoke.user, role: revoke.role }
}

done! {
    user_add_response: AuthUserAddResponse => UserAddResponse,
    user_delete_response: AuthUserDeleteResponse => UserDeleteResponse,
    user_change_password_response: AuthUserChangePasswordResponse => UserChangePasswordResponse,
    user_grant_role_response: AuthUserGrantRoleResponse => UserGrantRoleResponse,
    user_revoke_role_response: AuthUserRevokeRoleResponse => UserRevokeRoleResponse,
}

pub(crate) fn user_get_response(response: pb::AuthUserGetResponse) -> Result<UserGetResponse, Error> {
    Ok(UserGetResponse::new(required(response.header, Effect::Reads)?, response.roles))
}

pub(crate) fn user_list_response(response: pb::AuthUserListResponse) -> Result<UserListResponse, Error> {
    Ok(UserListResponse::new(required(response.header, Effect::Reads)?, response.users))
}

pub(crate) fn role_add_request(add: RoleAdd) -> pb::AuthRoleAddRequest {
    pb::AuthRoleAddRequest { name: add.role }
}

pub(crate) fn role_get_request(get: RoleGet) -> pb::AuthRoleGetRequest {
    pb::AuthRoleGetRequest { role: get.role }
}

pub(crate) fn role_list_request(_list: RoleList) -> pb::AuthRoleListRequest {
    pb::AuthRoleListRequest {}
}

pub(crate) fn role_delete_request(delete: RoleDelete) -> pb::AuthRoleDeleteRequest {
    pb::AuthRoleDeleteRequest { role: delete.role }
}

pub(crate) fn role_grant_permission_request(
    grant: RoleGrantPermission,
) -> pb::AuthRoleGrantPermissionRequest {
    pb::AuthRoleGrantPermissionRequest { name: grant.role, perm: encode_permission(&grant.permission) }
}

pub(crate) fn role_revoke_permission_request(
    revoke: RoleRevokePermission,
) -> pb::AuthRoleRevokePermissionRequest {
    let (key, range_end) = revoke.range.bounds();
    pb::AuthRoleRevokePermissionRequest { role: revoke.role, key, range_end }
}

done! {
    role_add_response: AuthRoleAddResponse => RoleAddResponse,
    role_delete_response: AuthRoleDeleteResponse => RoleDeleteResponse,
    role_grant_permission_response: AuthRoleGrantPermissionResponse => RoleGrantPermissionResponse,
    role_revoke_permission_response: AuthRoleRevokePermissionResponse => RoleRevokePermissionResponse,
}

pub(crate) fn role_get_response(response: pb::AuthRoleGetResponse) -> Result<RoleGetResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    Ok(RoleGetResponse::new(header, response.perm.into_iter().map(decode_permission).collect()))
}

pub(crate) fn role_list_response(response: pb::AuthRoleListResponse) -> Result<RoleListResponse, Error> {
    Ok(RoleListResponse::new(required(response.header, Effect::Reads)?, response.roles))
}

/// Encodes a permission. Returns `None` for an access that this crate has no name for: unknown numbers are never
/// sent, and etcd rejects a grant without a permission.
fn encode_permission(permission: &Permission) -> Option<authpb::Permission> {
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
fn decode_permission(message: authpb::Permission) -> Permission {
    let access = match Type::try_from(message.perm_type) {
        Ok(Type::Read) => Access::Read,
        Ok(Type::Write) => Access::Write,
        Ok(Type::Readwrite) => Access::ReadWrite,
        Err(_) => Access::Unknown(message.perm_type),
    };
    Permission::new(access, KeyRange::from_bounds(message.key, message.range_end))
}
