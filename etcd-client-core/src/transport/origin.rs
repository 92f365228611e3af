//! What the requests to an endpoint say they are for (scheme and authority), and the handshake that makes the scheme true.

use std::sync::Arc;

use etcd_errors::Error;
use http::uri::{Authority, Scheme};

use super::{
    connector::{BoxError, BoxIo},
    tls::{Live, Tls},
};
use crate::model::{Address, Endpoint, Security};

/// The origins of a client's endpoints. Clones share their TLS, so that what one reloads all use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    tls: Option<Arc<Live>>,
    /// In place of each endpoint's own.
    authority: Option<Authority>,
}

impl Origins {
    /// Checks the settings, and the endpoints against them.
    pub(crate) fn new(
        endpoints: &[Endpoint],
        tls: Option<Tls>,
        authority: Option<Authority>,
    ) -> Result<Self, Error> {
        let first_secure = endpoints.iter().find(|endpoint| endpoint.security() == Security::Tls);
        let tls = match (tls, first_secure) {
            (Some(tls), _) => Some(tls),
            (None, Some(endpoint)) => Some(Tls::unasked().map_err(|why| no_tls(endpoint, why))?),
            (None, None) => None,
        };
        let tls = tls.map(Live::start).transpose()?.map(Arc::new);
        let origins = Self { tls, authority };
        endpoints.iter().try_for_each(|endpoint| origins.check(endpoint))?;
        Ok(origins)
    }

    /// Whether a client with these settings may use the endpoint.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let is_unix = matches!(endpoint.address(), Address::Unix { .. });
        match &self.tls {
            None if self.is_secure(endpoint) => Err(no_tls(endpoint, "the client was built without TLS")),
            Some(tls) if self.is_secure(endpoint) => tls.check(endpoint),
            Some(tls) if !is_unix && !tls.takes_plaintext() => {
                let why = format!(
                    "endpoint {endpoint} would be spoken to in the clear although TLS is set up: write https://, or \
                     call Tls::allow_plaintext_endpoints"
                );
                Err(Error::invalid_config("endpoint", why))
            }
            _ => Ok(()),
        }
    }

    /// Whether the endpoint is spoken to through TLS.
    pub(crate) fn is_secure(&self, endpoint: &Endpoint) -> bool {
        match endpoint.security() {
            Security::Tls => true,
            Security::Plaintext => false,
            Security::AsConfigured => self.tls.is_some(),
        }
    }

    /// The `:scheme` of requests.
    pub(crate) fn scheme(&self, endpoint: &Endpoint) -> Scheme {
        if self.is_secure(endpoint) { Scheme::HTTPS } else { Scheme::HTTP }
    }

    /// The `:authority` of requests.
    pub(crate) fn authority(&self, endpoint: &Endpoint) -> Authority {
        self.authority.clone().unwrap_or_else(|| endpoint.http_authority())
    }

    /// The TLS handshake where the endpoint asks for one, else the stream as it is.
    pub(crate) async fn secure(&self, endpoint: &Endpoint, io: BoxIo) -> Result<BoxIo, BoxError> {
        match &self.tls {
            Some(tls) if self.is_secure(endpoint) => tls.secure(endpoint, io).await,
            None if self.is_secure(endpoint) => Err("the endpoint asks for TLS, which was not set up".into()),
            _ => Ok(io),
        }
    }

    /// What to look at when a peer does not speak HTTP/2 on a connection that stands.
    pub(crate) fn hint(&self, endpoint: &Endpoint) -> &'static str {
        match &self.tls {
            Some(tls) if self.is_secure(endpoint) => tls.hint(),
            _ => "is TLS needed (https://)?",
        }
    }

    /// Reads the files of TLS again.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        match &self.tls {
            Some(tls) => tls.reload().await,
            None => Ok(()),
        }
    }
}

fn no_tls(endpoint: &Endpoint, why: &str) -> Error {
    Error::invalid_config("endpoint", format!("endpoint {endpoint} asks for TLS, but {why}"))
}
