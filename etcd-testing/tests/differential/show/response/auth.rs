//! Responses of the Auth service as text.

use etcd_proto::etcdserverpb::{
    AuthDisableResponse, AuthEnableResponse, AuthRoleAddResponse, AuthRoleDeleteResponse,
    AuthRoleGetResponse, AuthRoleGrantPermissionResponse, AuthRoleListResponse,
    AuthRoleRevokePermissionResponse, AuthStatusResponse, AuthUserAddResponse,
    AuthUserChangePasswordResponse, AuthUserDeleteResponse, AuthUserGetResponse, AuthUserGrantRoleResponse,
    AuthUserListResponse, AuthUserRevokeRoleResponse, AuthenticateResponse, ResponseHeader,
};

use super::{Fields, Frame, Response};
use crate::show::range;

/// Implements [`Response`] for messages that have only a header.
macro_rules! header_only {
    ($($message:ty: $name:literal),* $(,)?) => {$(
        impl Response for $message {
            fn header(&self) -> Option<&ResponseHeader> {
                self.header.as_ref()
            }

            fn text(&self, frame: Frame) -> String {
                let Self { header } = self;
                format!("{} {}", $name, frame.header(header.as_ref()))
            }
        }
    )*};
}

header_only! {
    AuthEnableResponse: "enabled",
    AuthDisableResponse: "disabled",
    AuthUserAddResponse: "user added",
    AuthUserDeleteResponse: "user deleted",
    AuthUserChangePasswordResponse: "password changed",
    AuthUserGrantRoleResponse: "role granted",
    AuthUserRevokeRoleResponse: "role revoked",
    AuthRoleAddResponse: "role added",
    AuthRoleDeleteResponse: "role deleted",
    AuthRoleGrantPermissionResponse: "permission granted",
    AuthRoleRevokePermissionResponse: "permission revoked",
}

impl Response for AuthStatusResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, enabled, auth_revision } = self;
        let revision = auth_revision.wrapping_sub(frame.auth_revision).cast_signed();
        format!("auth status {} enabled={enabled} revision {revision:+}", frame.header(header.as_ref()))
    }
}

impl Response for AuthenticateResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, token } = self;
        format!("authenticated {} {}", frame.header(header.as_ref()), token_form(token))
    }
}

/// A simple token is 16 letters, a dot and a number.
fn token_form(token: &str) -> &'static str {
    let Some((letters, index)) = token.split_once('.') else { return "with an odd token" };
    let letters = letters.len() == 16 && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    if letters && index.parse::<u64>().is_ok() { "with a simple token" } else { "with an odd token" }
}

impl Response for AuthUserGetResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, roles } = self;
        Fields::of("user").word(&frame.header(header.as_ref())).list("roles", roles.clone()).end()
    }
}

impl Response for AuthUserListResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, users } = self;
        Fields::of("list").word(&frame.header(header.as_ref())).list("users", users.clone()).end()
    }
}

impl Response for AuthRoleListResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, roles } = self;
        Fields::of("list").word(&frame.header(header.as_ref())).list("roles", roles.clone()).end()
    }
}

impl Response for AuthRoleGetResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, perm } = self;
        let permissions =
            perm.iter().map(|perm| format!("{} {}", perm.perm_type, range(&perm.key, &perm.range_end)));
        Fields::of("role").word(&frame.header(header.as_ref())).list("permissions", permissions).end()
    }
}
