//! TLS in a build without it: types that have no value, and the sentence that says what to enable.

use std::sync::Arc;

use etcd_errors::Error;

use crate::{
    model::Endpoint,
    transport::connector::{BoxError, BoxIo},
};

/// There are no settings of TLS.
#[derive(Clone, Debug)]
pub(crate) enum Tls {}

impl Tls {
    /// What endpoints with TLS get where nothing was set: here the reason why they get nothing.
    pub(crate) fn unasked() -> Result<Self, &'static str> {
        Err(
            "this build of the client has no TLS: enable the feature `tls-ring` or `tls-aws-lc` of etcd-client-core",
        )
    }
}

/// There is no TLS to be live.
#[derive(Debug)]
pub(crate) enum Live {}

impl Live {
    pub(crate) fn start(tls: Tls) -> Result<Self, Error> {
        match tls {}
    }

    pub(crate) fn takes_plaintext(&self) -> bool {
        match *self {}
    }

    pub(crate) fn check(&self, _endpoint: &Endpoint) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn hint(&self) -> &'static str {
        match *self {}
    }

    pub(crate) async fn reload(self: &Arc<Self>) -> Result<(), Error> {
        match **self {}
    }

    pub(crate) async fn secure(
        self: &Arc<Self>,
        _endpoint: &Endpoint,
        _io: BoxIo,
    ) -> Result<BoxIo, BoxError> {
        match **self {}
    }
}
