//! Conversions for users.

use etcd_errors::Error;
use etcd_proto::{authpb, etcdserverpb as pb};

use crate::{
    auth::{
        UserAdd, UserAddResponse, UserChangePassword, UserChangePasswordResponse, UserDelete,
        UserDeleteResponse, UserGet, UserGetResponse, UserGrantRole, UserGrantRoleResponse, UserList,
        UserListResponse, UserRevokeRole, UserRevokeRoleResponse,
        codec::{done::done, scrubbed::Scrubbed},
    },
    request::header::{Effect, required},
};

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
