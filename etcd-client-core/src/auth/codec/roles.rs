//! Conversions for roles.

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    auth::{
        RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet, RoleGetResponse,
        RoleGrantPermission, RoleGrantPermissionResponse, RoleList, RoleListResponse, RoleRevokePermission,
        RoleRevokePermissionResponse,
        codec::{done::done, permission},
    },
    request::header::{Effect, required},
};

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
    pb::AuthRoleGrantPermissionRequest { name: grant.role, perm: permission::to_message(&grant.permission) }
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
    Ok(RoleGetResponse::new(header, response.perm.into_iter().map(permission::from_message).collect()))
}

pub(crate) fn role_list_response(response: pb::AuthRoleListResponse) -> Result<RoleListResponse, Error> {
    Ok(RoleListResponse::new(required(response.header, Effect::Reads)?, response.roles))
}
