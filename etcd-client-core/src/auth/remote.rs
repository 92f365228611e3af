//! The Auth service over a channel or a caller-supplied service.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    auth::{
        AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthService, AuthStatus,
        AuthStatusResponse, RoleAdd, RoleAddResponse, RoleDelete, RoleDeleteResponse, RoleGet,
        RoleGetResponse, RoleGrantPermission, RoleGrantPermissionResponse, RoleList, RoleListResponse,
        RoleRevokePermission, RoleRevokePermissionResponse, UserAdd, UserAddResponse, UserChangePassword,
        UserChangePasswordResponse, UserDelete, UserDeleteResponse, UserGet, UserGetResponse, UserGrantRole,
        UserGrantRoleResponse, UserList, UserListResponse, UserRevokeRole, UserRevokeRoleResponse,
        codec as auth,
    },
    request::{CallOptions, header::Answer},
    transport::{
        call::unary::Call,
        caller::Caller,
        grpc::method::{Method, with_operation},
    },
};

/// The Auth service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteAuth {
    caller: Caller,
}

impl RemoteAuth {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }

    async fn call<Resp, T>(
        &self,
        method: Method,
        options: &CallOptions,
        request: &impl prost::Message,
        convert: fn(Resp) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        Resp: Answer,
    {
        self.caller.unary(Call::new(method, options), request, convert).await
    }
}

#[async_trait]
impl AuthService for RemoteAuth {
    async fn enable(&self, op: AuthEnable, options: CallOptions) -> Result<AuthEnableResponse, Error> {
        self.call(Method::AuthEnable, &options, &auth::auth_enable_request(op), auth::auth_enable_response)
            .await
    }

    async fn disable(&self, op: AuthDisable, options: CallOptions) -> Result<AuthDisableResponse, Error> {
        self.call(Method::AuthDisable, &options, &auth::auth_disable_request(op), auth::auth_disable_response)
            .await
    }

    async fn status(&self, op: AuthStatus, options: CallOptions) -> Result<AuthStatusResponse, Error> {
        self.call(Method::AuthStatus, &options, &auth::auth_status_request(op), auth::auth_status_response)
            .await
    }

    async fn user_add(&self, op: UserAdd, options: CallOptions) -> Result<UserAddResponse, Error> {
        with_operation(Method::UserAdd, op.validate())?;
        let request = auth::user_add_request(op);
        self.call(Method::UserAdd, &options, request.message(), auth::user_add_response).await
    }

    async fn user_get(&self, op: UserGet, options: CallOptions) -> Result<UserGetResponse, Error> {
        with_operation(Method::UserGet, op.validate())?;
        self.call(Method::UserGet, &options, &auth::user_get_request(op), auth::user_get_response).await
    }

    async fn user_list(&self, op: UserList, options: CallOptions) -> Result<UserListResponse, Error> {
        self.call(Method::UserList, &options, &auth::user_list_request(op), auth::user_list_response).await
    }

    async fn user_delete(&self, op: UserDelete, options: CallOptions) -> Result<UserDeleteResponse, Error> {
        with_operation(Method::UserDelete, op.validate())?;
        self.call(Method::UserDelete, &options, &auth::user_delete_request(op), auth::user_delete_response)
            .await
    }

    async fn user_change_password(
        &self,
        op: UserChangePassword,
        options: CallOptions,
    ) -> Result<UserChangePasswordResponse, Error> {
        with_operation(Method::UserChangePassword, op.validate())?;
        let request = auth::user_change_password_request(op);
        self.call(
            Method::UserChangePassword,
            &options,
            request.message(),
            auth::user_change_password_response,
        )
        .await
    }

    async fn user_grant_role(
        &self,
        op: UserGrantRole,
        options: CallOptions,
    ) -> Result<UserGrantRoleResponse, Error> {
        with_operation(Method::UserGrantRole, op.validate())?;
        self.call(
            Method::UserGrantRole,
            &options,
            &auth::user_grant_role_request(op),
            auth::user_grant_role_response,
        )
        .await
    }

    async fn user_revoke_role(
        &self,
        op: UserRevokeRole,
        options: CallOptions,
    ) -> Result<UserRevokeRoleResponse, Error> {
        with_operation(Method::UserRevokeRole, op.validate())?;
        self.call(
            Method::UserRevokeRole,
            &options,
            &auth::user_revoke_role_request(op),
            auth::user_revoke_role_response,
        )
        .await
    }

    async fn role_add(&self, op: RoleAdd, options: CallOptions) -> Result<RoleAddResponse, Error> {
        with_operation(Method::RoleAdd, op.validate())?;
        self.call(Method::RoleAdd, &options, &auth::role_add_request(op), auth::role_add_response).await
    }

    async fn role_get(&self, op: RoleGet, options: CallOptions) -> Result<RoleGetResponse, Error> {
        with_operation(Method::RoleGet, op.validate())?;
        self.call(Method::RoleGet, &options, &auth::role_get_request(op), auth::role_get_response).await
    }

    async fn role_list(&self, op: RoleList, options: CallOptions) -> Result<RoleListResponse, Error> {
        self.call(Method::RoleList, &options, &auth::role_list_request(op), auth::role_list_response).await
    }

    async fn role_delete(&self, op: RoleDelete, options: CallOptions) -> Result<RoleDeleteResponse, Error> {
        with_operation(Method::RoleDelete, op.validate())?;
        self.call(Method::RoleDelete, &options, &auth::role_delete_request(op), auth::role_delete_response)
            .await
    }

    async fn role_grant_permission(
        &self,
        op: RoleGrantPermission,
        options: CallOptions,
    ) -> Result<RoleGrantPermissionResponse, Error> {
        with_operation(Method::RoleGrantPermission, op.validate())?;
        self.call(
            Method::RoleGrantPermission,
            &options,
            &auth::role_grant_permission_request(op),
            auth::role_grant_permission_response,
        )
        .await
    }

    async fn role_revoke_permission(
        &self,
        op: RoleRevokePermission,
        options: CallOptions,
    ) -> Result<RoleRevokePermissionResponse, Error> {
        with_operation(Method::RoleRevokePermission, op.validate())?;
        self.call(
            Method::RoleRevokePermission,
            &options,
            &auth::role_revoke_permission_request(op),
            auth::role_revoke_permission_response,
        )
        .await
    }
}
