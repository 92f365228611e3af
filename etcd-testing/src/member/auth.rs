//! The Auth service of a member.

use etcd_proto::etcdserverpb::{
    AuthDisableResponse, AuthEnableResponse, AuthRoleAddRequest, AuthRoleAddResponse, AuthRoleDeleteRequest,
    AuthRoleDeleteResponse, AuthRoleGetRequest, AuthRoleGetResponse, AuthRoleGrantPermissionRequest,
    AuthRoleGrantPermissionResponse, AuthRoleListResponse, AuthRoleRevokePermissionRequest,
    AuthRoleRevokePermissionResponse, AuthStatusResponse, AuthUserAddRequest, AuthUserAddResponse,
    AuthUserChangePasswordRequest, AuthUserChangePasswordResponse, AuthUserDeleteRequest,
    AuthUserDeleteResponse, AuthUserGetRequest, AuthUserGetResponse, AuthUserGrantRoleRequest,
    AuthUserGrantRoleResponse, AuthUserListResponse, AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse,
    AuthenticateRequest, AuthenticateResponse,
};

use super::{Caller, Member};
use crate::line::Line;
use crate::rejection::{NO_AUTH_STATUS, Rejection};

impl Member {
    /// Executes an administrative operation, which needs the role `root` while authentication is enabled.
    fn administer<R>(
        &mut self,
        caller: &Caller,
        operate: impl FnOnce(&mut Self) -> Result<R, Rejection>,
    ) -> Result<R, Rejection> {
        self.require_admin(caller)?;
        self.raft_index += 1;
        operate(self)
    }

    pub(crate) fn auth_enable(&mut self, caller: &Caller) -> Result<AuthEnableResponse, Rejection> {
        self.administer(caller, |member| member.auth.enable())?;
        Ok(AuthEnableResponse { header: Some(self.header()) })
    }

    pub(crate) fn auth_disable(&mut self, caller: &Caller) -> Result<AuthDisableResponse, Rejection> {
        self.administer(caller, |member| {
            member.auth.disable();
            Ok(())
        })?;
        Ok(AuthDisableResponse { header: Some(self.header()) })
    }

    /// Returns whether authentication is enabled. Lines before 3.7 require the role `root`, if it is.
    pub(crate) fn auth_status(&mut self, caller: &Caller) -> Result<AuthStatusResponse, Rejection> {
        if self.identity.line < Line::V3_5 {
            return Err(NO_AUTH_STATUS);
        }
        let info = self.auth_info(caller)?;
        if self.identity.line < Line::V3_7 {
            self.auth.check_admin(info.as_ref())?;
        }
        self.raft_index += 1;
        Ok(AuthStatusResponse {
            header: Some(self.header()),
            enabled: self.auth.is_enabled(),
            auth_revision: self.auth.revision(),
        })
    }

    pub(crate) fn authenticate(
        &mut self,
        request: &AuthenticateRequest,
    ) -> Result<AuthenticateResponse, Rejection> {
        let token = self.auth.authenticate(&request.name, &request.password, self.now)?;
        self.raft_index += 1;
        Ok(AuthenticateResponse { header: Some(self.header()), token })
    }

    pub(crate) fn user_add(
        &mut self,
        caller: &Caller,
        request: &AuthUserAddRequest,
    ) -> Result<AuthUserAddResponse, Rejection> {
        let no_password = request.options.as_ref().is_some_and(|options| options.no_password);
        self.administer(caller, |member| {
            member.auth.user_add(&request.name, &request.password, no_password)
        })?;
        Ok(AuthUserAddResponse { header: Some(self.header()) })
    }

    pub(crate) fn user_delete(
        &mut self,
        caller: &Caller,
        request: &AuthUserDeleteRequest,
    ) -> Result<AuthUserDeleteResponse, Rejection> {
        self.administer(caller, |member| member.auth.user_delete(&request.name))?;
        Ok(AuthUserDeleteResponse { header: Some(self.header()) })
    }

    pub(crate) fn user_change_password(
        &mut self,
        caller: &Caller,
        request: &AuthUserChangePasswordRequest,
    ) -> Result<AuthUserChangePasswordResponse, Rejection> {
        self.administer(caller, |member| member.auth.user_change_password(&request.name, &request.password))?;
        Ok(AuthUserChangePasswordResponse { header: Some(self.header()) })
    }

    pub(crate) fn user_grant_role(
        &mut self,
        caller: &Caller,
        request: &AuthUserGrantRoleRequest,
    ) -> Result<AuthUserGrantRoleResponse, Rejection> {
        self.administer(caller, |member| member.auth.user_grant_role(&request.user, &request.role))?;
        Ok(AuthUserGrantRoleResponse { header: Some(self.header()) })
    }

    pub(crate) fn user_revoke_role(
        &mut self,
        caller: &Caller,
        request: &AuthUserRevokeRoleRequest,
    ) -> Result<AuthUserRevokeRoleResponse, Rejection> {
        self.administer(caller, |member| member.auth.user_revoke_role(&request.name, &request.role))?;
        Ok(AuthUserRevokeRoleResponse { header: Some(self.header()) })
    }

    /// Returns the roles of a user. Each user may see its own.
    pub(crate) fn user_get(
        &mut self,
        caller: &Caller,
        request: &AuthUserGetRequest,
    ) -> Result<AuthUserGetResponse, Rejection> {
        let info = self.auth_info(caller)?;
        self.raft_index += 1;
        let own = info.as_ref().is_some_and(|info| info.user == request.name);
        if !own {
            self.auth.check_admin(info.as_ref())?;
        }
        let roles = self.auth.user_roles(&request.name)?;
        Ok(AuthUserGetResponse { header: Some(self.header()), roles })
    }

    pub(crate) fn user_list(&mut self, caller: &Caller) -> Result<AuthUserListResponse, Rejection> {
        let users = self.administer(caller, |member| Ok(member.auth.user_names()))?;
        Ok(AuthUserListResponse { header: Some(self.header()), users })
    }

    pub(crate) fn role_add(
        &mut self,
        caller: &Caller,
        request: &AuthRoleAddRequest,
    ) -> Result<AuthRoleAddResponse, Rejection> {
        self.administer(caller, |member| member.auth.role_add(&request.name))?;
        Ok(AuthRoleAddResponse { header: Some(self.header()) })
    }

    pub(crate) fn role_delete(
        &mut self,
        caller: &Caller,
        request: &AuthRoleDeleteRequest,
    ) -> Result<AuthRoleDeleteResponse, Rejection> {
        self.administer(caller, |member| member.auth.role_delete(&request.role))?;
        Ok(AuthRoleDeleteResponse { header: Some(self.header()) })
    }

    /// Returns the permissions of a role. Each user may see those of the roles that it has.
    pub(crate) fn role_get(
        &mut self,
        caller: &Caller,
        request: &AuthRoleGetRequest,
    ) -> Result<AuthRoleGetResponse, Rejection> {
        let info = self.auth_info(caller)?;
        self.raft_index += 1;
        let own = info.as_ref().is_some_and(|info| self.auth.has_role(&info.user, &request.role));
        if !own {
            self.auth.check_admin(info.as_ref())?;
        }
        let perm = self.auth.role_permissions(&request.role, self.identity.line)?;
        Ok(AuthRoleGetResponse { header: Some(self.header()), perm })
    }

    pub(crate) fn role_list(&mut self, caller: &Caller) -> Result<AuthRoleListResponse, Rejection> {
        let roles = self.administer(caller, |member| Ok(member.auth.role_names()))?;
        Ok(AuthRoleListResponse { header: Some(self.header()), roles })
    }

    pub(crate) fn role_grant_permission(
        &mut self,
        caller: &Caller,
        request: &AuthRoleGrantPermissionRequest,
    ) -> Result<AuthRoleGrantPermissionResponse, Rejection> {
        self.administer(caller, |member| member.auth.role_grant(&request.name, request.perm.as_ref()))?;
        Ok(AuthRoleGrantPermissionResponse { header: Some(self.header()) })
    }

    pub(crate) fn role_revoke_permission(
        &mut self,
        caller: &Caller,
        request: &AuthRoleRevokePermissionRequest,
    ) -> Result<AuthRoleRevokePermissionResponse, Rejection> {
        self.administer(caller, |member| {
            member.auth.role_revoke(&request.role, &request.key, &request.range_end)
        })?;
        Ok(AuthRoleRevokePermissionResponse { header: Some(self.header()) })
    }
}
