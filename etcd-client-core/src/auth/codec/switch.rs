//! Conversions for enabling, disabling and inspecting auth.

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    auth::{
        AuthDisable, AuthDisableResponse, AuthEnable, AuthEnableResponse, AuthStatus, AuthStatusResponse,
        codec::done::done,
    },
    request::header::{Effect, required},
    types::AuthRevision,
};

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
