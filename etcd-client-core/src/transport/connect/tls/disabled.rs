//! Stand-ins for a build without TLS: types without values, and an error that names the feature to enable.

use std::sync::Arc;

use etcd_errors::Error;

use crate::{
    transport::connect::{BoxError, BoxIo},
    types::Endpoint,
};

/// TLS settings, of which a build without TLS has none.
#[derive(Clone, Debug)]
pub(crate) enum Tls {}

impl Tls {
    /// Returns the default settings for `https://` endpoints. In this build: an error that names the features.
    pub(crate) fn unasked() -> Result<Self, &'static str> {
        Err("this build has no TLS: enable the feature `tls-ring` or `tls-aws-lc` of etcd-client-core")
    }
}

/// The TLS state of a client, of which a build without TLS has none.
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
