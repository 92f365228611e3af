//! The Auth service.

use etcd_proto::etcdserverpb::{
    AuthDisableRequest, AuthEnableRequest, AuthRoleListRequest, AuthStatusRequest, AuthUserListRequest,
    AuthenticateRequest,
};

use super::Endpoint;
use crate::operation::{Auth, Who};

/// The password of `root` in every sequence: the runner has to be able to disable auth.
pub(crate) const ROOT_PASSWORD: &str = "root";

impl Endpoint {
    pub(super) async fn auth(&mut self, who: Who, auth: Auth) -> String {
        match auth {
            Auth::Enable => self.enable(who).await,
            Auth::Disable => self.disable(who).await,
            Auth::Authenticate(request) => self.authenticate(who, request).await,
            Auth::Status => {
                let result = self.auths().auth_status(self.request(who, AuthStatusRequest {})).await;
                self.read(result)
            }
            other => self.manage(who, other).await,
        }
    }

    async fn enable(&mut self, who: Who) -> String {
        let result = self.auths().auth_enable(self.request(who, AuthEnableRequest {})).await;
        let enabled = result.is_ok();
        let answer = self.read(result);
        if enabled {
            self.auth_enabled = true;
            return format!("{answer}, {}", self.login().await);
        }
        answer
    }

    async fn disable(&mut self, who: Who) -> String {
        let result = self.auths().auth_disable(self.request(who, AuthDisableRequest {})).await;
        self.auth_enabled &= result.is_err();
        self.read(result)
    }

    async fn authenticate(&mut self, who: Who, request: AuthenticateRequest) -> String {
        let name = request.name.clone();
        let result = self.auths().authenticate(self.request(who, request)).await;
        if let Ok(response) = &result {
            self.tokens.insert(name, response.get_ref().token.clone());
        }
        self.read(result)
    }

    /// Obtains a token of `root` for the runner's own operations.
    pub(super) async fn login(&mut self) -> String {
        let request = AuthenticateRequest { name: "root".into(), password: ROOT_PASSWORD.into() };
        self.authenticate(Who::Nobody, request).await
    }

    async fn manage(&mut self, who: Who, auth: Auth) -> String {
        let mut client = self.auths();
        macro_rules! send {
            ($method:ident, $request:expr) => {{
                let result = client.$method(self.request(who, $request)).await;
                self.read(result)
            }};
        }
        match auth {
            Auth::UserAdd(request) => send!(user_add, request),
            Auth::UserGet(request) => send!(user_get, request),
            Auth::UserList => send!(user_list, AuthUserListRequest {}),
            Auth::UserDelete(request) => send!(user_delete, request),
            Auth::UserChangePassword(request) => send!(user_change_password, request),
            Auth::UserGrantRole(request) => send!(user_grant_role, request),
            Auth::UserRevokeRole(request) => send!(user_revoke_role, request),
            Auth::RoleAdd(request) => send!(role_add, request),
            Auth::RoleGet(request) => send!(role_get, request),
            Auth::RoleList => send!(role_list, AuthRoleListRequest {}),
            Auth::RoleDelete(request) => send!(role_delete, request),
            Auth::RoleGrant(request) => send!(role_grant_permission, request),
            Auth::RoleRevoke(request) => send!(role_revoke_permission, request),
            Auth::Enable | Auth::Disable | Auth::Status | Auth::Authenticate(_) => String::new(),
        }
    }
}
