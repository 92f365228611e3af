//! The origin (scheme and authority) of requests to an endpoint, and the TLS handshake that matches the scheme.

use std::sync::Arc;

use etcd_errors::Error;
use http::uri::{Authority, Scheme};

use crate::{
    transport::connect::{
        BoxError, BoxIo,
        tls::{Live, Tls},
    },
    types::{Address, Endpoint, Security},
};

/// The origins of a client's endpoints. Clones share the TLS state, so that a reload applies to all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    tls: Option<Arc<Live>>,
    /// Overrides the authorities of the endpoints.
    authority: Option<Authority>,
}

impl Origins {
    /// Validates the settings and the endpoints.
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

    /// Checks whether a client with these settings may use the endpoint.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let is_unix = matches!(endpoint.address(), Address::Unix { .. });
        match &self.tls {
            None if self.is_secure(endpoint) => Err(no_tls(endpoint, "the client was built without TLS")),
            Some(tls) if self.is_secure(endpoint) => tls.check(endpoint),
            // Unix sockets do not leave the host, so they may be unencrypted next to TLS.
            Some(tls) if !is_unix && !tls.takes_plaintext() => {
                let why = format!(
                    "endpoint {endpoint} would be unencrypted although TLS is configured: use https://, or call \
                     Tls::allow_plaintext_endpoints"
                );
                Err(Error::invalid_config("endpoint", why))
            }
            _ => Ok(()),
        }
    }

    /// Returns `true` if the endpoint uses TLS.
    pub(crate) fn is_secure(&self, endpoint: &Endpoint) -> bool {
        match endpoint.security() {
            Security::Tls => true,
            Security::Plaintext => false,
            Security::AsConfigured => self.tls.is_some(),
        }
    }

    /// Returns the `:scheme` of requests.
    pub(crate) fn scheme(&self, endpoint: &Endpoint) -> Scheme {
        if self.is_secure(endpoint) { Scheme::HTTPS } else { Scheme::HTTP }
    }

    /// Returns the `:authority` of requests.
    pub(crate) fn authority(&self, endpoint: &Endpoint) -> Authority {
        self.authority.clone().unwrap_or_else(|| endpoint.http_authority())
    }

    /// Performs the TLS handshake if the endpoint uses TLS, otherwise returns the stream unchanged.
    pub(crate) async fn secure(&self, endpoint: &Endpoint, io: BoxIo) -> Result<BoxIo, BoxError> {
        match &self.tls {
            Some(tls) if self.is_secure(endpoint) => tls.secure(endpoint, io).await,
            None if self.is_secure(endpoint) => {
                Err("the endpoint requires TLS, which is not configured".into())
            }
            _ => Ok(io),
        }
    }

    /// Returns a hint for a peer that does not speak HTTP/2 on an open connection.
    pub(crate) fn hint(&self, endpoint: &Endpoint) -> &'static str {
        match &self.tls {
            Some(tls) if self.is_secure(endpoint) => tls.hint(),
            _ => "check whether the endpoint requires TLS (https://)",
        }
    }

    /// Reads the TLS files again.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        match &self.tls {
            Some(tls) => tls.reload().await,
            None => Ok(()),
        }
    }
}

fn no_tls(endpoint: &Endpoint, why: &str) -> Error {
    Error::invalid_config("endpoint", format!("endpoint {endpoint} requires TLS, but {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().expect("an endpoint")
    }

    #[test]
    fn without_tls_everything_but_tls_is_taken() {
        let plain = ["http://a:1", "b:2", "unix:///s"].map(endpoint);
        let origins = Origins::new(&plain, None, None).expect("no TLS is needed");
        for endpoint in &plain {
            assert_eq!(origins.scheme(endpoint), Scheme::HTTP);
            assert_eq!(origins.authority(endpoint), endpoint.authority());
        }
        // Endpoints are checked again when the set of endpoints changes.
        let later = origins.check(&endpoint("https://c:3")).expect_err("there is no TLS");
        assert_eq!(later.field(), Some("endpoint"));
    }

    #[test]
    fn an_authority_stands_for_all() {
        let authority = Some(Authority::from_static("etcd.example"));
        let origins = Origins::new(&[], None, authority).expect("no TLS is needed");
        assert_eq!(origins.authority(&endpoint("http://10.0.0.1:2379")), "etcd.example");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn build_without_tls_names_the_feature_to_enable() {
        for text in ["https://a:1", "unixs:///s"] {
            let error = Origins::new(&[endpoint(text)], None, None).expect_err("no TLS in this build");
            let parts = [text, "`tls-ring`", "`tls-aws-lc`"];
            assert_eq!(error.field(), Some("endpoint"));
            assert!(parts.iter().all(|part| error.message().contains(part)), "{}", error.message());
        }
    }

    #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
    #[test]
    fn scheme_selects_tls() {
        let tls = Tls::new().danger_accept_invalid_certs(true);
        let secure = ["https://a:1", "b:2", "unixs:///s"].map(endpoint);
        let origins = Origins::new(&secure, Some(tls.clone()), None).expect("valid");
        for endpoint in &secure {
            assert_eq!(origins.scheme(endpoint), Scheme::HTTPS, "{endpoint}");
        }
        let local = endpoint("unix:///s");
        origins.check(&local).expect("nobody listens on a unix socket");
        assert_eq!(origins.scheme(&local), Scheme::HTTP);
        let plain = endpoint("http://c:3");
        assert_eq!(origins.check(&plain).expect_err("in the clear").field(), Some("endpoint"));
        let mixed = Origins::new(std::slice::from_ref(&plain), Some(tls.allow_plaintext_endpoints()), None);
        assert_eq!(mixed.expect("allowed").scheme(&plain), Scheme::HTTP);
    }
}
