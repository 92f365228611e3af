//! Credentials, and the endpoints that may receive them.

use std::{fmt, net::IpAddr, sync::Arc};

use etcd_errors::Error;
use http::HeaderValue;

#[cfg(feature = "proxy")]
use crate::transport::connect::proxy::HttpProxy;
use crate::{
    transport::token::{provider::TokenProvider, rejection, secret},
    types::{Address, Endpoint, Secret},
};

/// The source of tokens, and the endpoints that may receive them.
pub(crate) struct Credentials {
    pub(crate) source: Source,
    plaintext_allowed: bool,
    #[cfg(feature = "proxy")]
    proxy: Option<HttpProxy>,
}

/// The source of tokens.
pub(crate) enum Source {
    /// No credentials.
    Nowhere,
    /// Tokens from etcd's Authenticate, for a user and a password.
    Password {
        user: String,
        password: Secret,
    },
    /// A fixed token.
    Token(HeaderValue),
    Provider(Arc<dyn TokenProvider>),
}

impl Credentials {
    pub(crate) fn kind(&self) -> rejection::Credentials {
        match self.source {
            Source::Nowhere => rejection::Credentials::None,
            Source::Token(_) => rejection::Credentials::Fixed,
            Source::Password { .. } | Source::Provider(_) => rejection::Credentials::Renewable,
        }
    }

    /// Checks whether the password or the token may be sent to the endpoint. `secure` is `true` if the endpoint uses
    /// TLS.
    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint, secure: bool) -> Result<(), Error> {
        let field = match self.source {
            Source::Nowhere => return Ok(()),
            Source::Password { .. } => "password",
            Source::Token(_) | Source::Provider(_) => "token",
        };
        if secure
            || self.plaintext_allowed
            || (is_this_host(endpoint.address()) && !self.is_proxied(endpoint))
        {
            return Ok(());
        }
        let why = format!(
            "{endpoint} uses plaintext TCP, which would expose the password or token on the network: use TLS, or set \
             allow_plaintext_auth"
        );
        Err(Error::invalid_config(field, why))
    }
}

impl Credentials {
    /// Returns `true` if traffic to the endpoint goes through a proxy. A loopback address then means the proxy's host,
    /// and the path to it is unencrypted.
    #[cfg(feature = "proxy")]
    fn is_proxied(&self, endpoint: &Endpoint) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.carries(endpoint))
    }

    #[cfg(not(feature = "proxy"))]
    fn is_proxied(&self, _endpoint: &Endpoint) -> bool {
        false
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Nowhere => f.write_str("None"),
            Source::Password { user, .. } => write!(f, "Password(user {user:?})"),
            Source::Token(_) => f.write_str("Token(..)"),
            Source::Provider(_) => f.write_str("Provider(..)"),
        }
    }
}

/// Credentials during configuration.
#[derive(Default)]
pub(crate) struct Configured {
    password: Option<(String, Secret)>,
    token: Option<Secret>,
    provider: Option<Arc<dyn TokenProvider>>,
    plaintext_allowed: bool,
    #[cfg(feature = "proxy")]
    proxy: Option<HttpProxy>,
}

impl Configured {
    pub(crate) fn set_password(&mut self, user: String, password: Secret) {
        self.password = Some((user, password));
    }

    pub(crate) fn set_token(&mut self, token: Secret) {
        self.token = Some(token);
    }

    pub(crate) fn set_provider(&mut self, provider: impl TokenProvider) {
        self.provider = Some(Arc::new(provider));
    }

    #[cfg(feature = "proxy")]
    pub(crate) fn through(self, proxy: Option<HttpProxy>) -> Self {
        Self { proxy, ..self }
    }

    pub(crate) fn allow_plaintext(&mut self) {
        self.plaintext_allowed = true;
    }

    /// Validates the credentials.
    pub(crate) fn finish(self) -> Result<Credentials, Error> {
        let source = match (self.password, self.token, self.provider) {
            (None, None, None) => Source::Nowhere,
            (Some((user, password)), None, None) => checked_password(user, password)?,
            (None, Some(token), None) => Source::Token(header(token)?),
            (None, None, Some(provider)) => Source::Provider(provider),
            (None, Some(_), Some(_)) => {
                return Err(Error::invalid_config(
                    "token",
                    "a token and a token provider are both set: remove one",
                ));
            }
            (Some(_), ..) => {
                return Err(Error::invalid_config(
                    "password",
                    "a password and a token are both set: remove one",
                ));
            }
        };
        Ok(Credentials {
            source,
            plaintext_allowed: self.plaintext_allowed,
            #[cfg(feature = "proxy")]
            proxy: self.proxy,
        })
    }
}

impl fmt::Debug for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.password.as_ref().map(|(user, _)| user))
            .field("token", &self.token)
            .field("token_provider", &self.provider.is_some())
            .field("plaintext_allowed", &self.plaintext_allowed)
            .finish()
    }
}

fn checked_password(user: String, password: Secret) -> Result<Source, Error> {
    if user.is_empty() {
        return Err(Error::invalid_config("user", "the user name must not be empty"));
    }
    if password.expose().is_empty() {
        return Err(Error::invalid_config("password", "the password must not be empty"));
    }
    Ok(Source::Password { user, password })
}

/// Returns the header value that carries a token.
pub(crate) fn header(token: Secret) -> Result<HeaderValue, Error> {
    if token.expose().is_empty() {
        return Err(Error::invalid_config("token", "the token must not be empty"));
    }
    secret::header(token).ok_or_else(|| {
        Error::invalid_config("token", "the token contains control characters: remove line breaks at its end")
    })
}

/// Returns `true` if traffic to the address stays on this host: a Unix socket or a loopback address. The name
/// `localhost` always refers to loopback (RFC 6761 section 6.3).
fn is_this_host(address: &Address) -> bool {
    match address {
        Address::Unix { .. } => true,
        Address::Tcp { host, .. } => {
            host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_loopback)
        }
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    // Also covers IPv4-mapped addresses such as ::ffff:127.0.0.1.
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_password() -> Configured {
        let mut configured = Configured::default();
        configured.set_password("app".into(), "canary".into());
        configured
    }

    #[test]
    fn a_password_goes_over_plaintext_to_this_host_only() {
        for (text, allowed) in [
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9:1", true),
            ("http://[::1]:1", true),
            ("http://[::ffff:127.0.0.1]:1", true),
            ("LocalHost:1", true),
            ("unix:///run/etcd", true),
            ("etcd:1", false),
            ("http://10.0.0.1:1", false),
            ("http://localhost.example:1", false),
            ("http://[2001:db8::1]:1", false),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            let check = |configured: Configured, secure| {
                configured.finish().expect("valid").check_endpoint(&endpoint, secure)
            };
            let checked = check(with_password(), false);
            assert_eq!(checked.is_ok(), allowed, "{text}");
            if let Err(error) = checked {
                assert_eq!(error.field(), Some("password"));
                assert!(!error.report().to_string().contains("canary"));
            }
            let mut outspoken = with_password();
            outspoken.allow_plaintext();
            for (configured, secure) in
                [(outspoken, false), (with_password(), true), (Configured::default(), false)]
            {
                assert!(check(configured, secure).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn empty_or_contradictory_settings_are_rejected() {
        let case = |change: fn(&mut Configured)| {
            let mut configured = Configured::default();
            change(&mut configured);
            configured.finish().map(drop).map_err(|error| error.field().expect("named"))
        };
        assert_eq!(case(|c| c.set_password(String::new(), "p".into())), Err("user"));
        assert_eq!(case(|c| c.set_password("u".into(), "".into())), Err("password"));
        assert_eq!(case(|c| c.set_token("".into())), Err("token"));
        assert_eq!(case(|c| c.set_token("line\n".into())), Err("token"));
        assert_eq!(case(|c| c.set_token("jwt".into())), Ok(()));
        let both = |c: &mut Configured| {
            c.set_password("u".into(), "p".into());
            c.set_token("jwt".into());
        };
        assert_eq!(case(both), Err("password"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut configured = with_password();
        configured.set_token("canary".into());
        assert!(!format!("{configured:?}").contains("canary"));
        let credentials = with_password().finish().expect("valid");
        assert_eq!(format!("{credentials:?}"), "Password(user \"app\")");
    }
}
