//! The builder of a client.

pub(crate) mod calls;
pub(crate) mod connections;
pub(crate) mod credentials;

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use etcd_errors::Error;
use http::uri::Authority;

#[cfg(feature = "proxy")]
use crate::transport::connect::proxy::{HttpProxy, tunnel::ProxyConnector};
use crate::{
    client::{Client, background::Background, least_version::LeastVersion},
    request::Limits,
    transport::{
        balance::Balance,
        call::channel::{Channel, Settings},
        caller::Caller,
        connect::{ServiceConnector, SharedConnector, tcp::DirectConnector, tls::Tls},
        endpoint::authority::Origins,
        grpc::{headers::Headers, method::DEFAULT_TIMEOUT},
        observe::observer::SharedObserver,
        pool::{KeepaliveSettings, PoolSettings},
        token::{Tokens, credentials::Configured},
    },
    types::{Endpoint, Key, without_user},
};

/// A builder for a [`Client`], returned by [`Client::builder`].
///
/// Every setting has a default. [`build`](Self::build) validates the settings.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use etcd_client_core::Client;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// let client = Client::builder(["http://127.0.0.1:2379", "http://127.0.0.1:22379"])
///     .timeout(Duration::from_secs(2))
///     .build()?;
/// # client.close().await;
/// # Ok::<(), etcd_client_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "ConnectOptions")]
#[doc(alias = "Config")]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    endpoints: Vec<String>,
    timeout: Option<Duration>,
    limits: Limits,
    connector: SharedConnector,
    balance: Balance,
    keepalive: KeepaliveSettings,
    health: bool,
    tls: Option<Tls>,
    authority: Option<String>,
    auto_sync: Option<Duration>,
    min_server_version: Option<String>,
    #[cfg(feature = "proxy")]
    proxy: Option<HttpProxy>,
    credentials: Configured,
    observer: SharedObserver,
    accepts_replacement: bool,
    trace_keys: bool,
    namespace: Key,
}

impl ClientBuilder {
    pub(crate) fn new<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> Self {
        Self {
            endpoints: endpoints.into_iter().map(|endpoint| endpoint.as_ref().to_owned()).collect(),
            timeout: Some(DEFAULT_TIMEOUT),
            limits: Limits::default(),
            connector: SharedConnector(Arc::new(ServiceConnector(DirectConnector))),
            balance: Balance::default(),
            keepalive: KeepaliveSettings::default(),
            health: false,
            tls: None,
            authority: None,
            auto_sync: None,
            min_server_version: None,
            #[cfg(feature = "proxy")]
            proxy: None,
            credentials: Configured::default(),
            observer: SharedObserver::default(),
            accepts_replacement: false,
            trace_keys: false,
            namespace: Key::new(),
        }
    }

    /// Builds the client and starts to connect in the background.
    ///
    /// Returns immediately, even if no member can be reached. Use [`Client::ready`] to wait for a member.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a Tokio runtime.
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) for each of these:
    ///
    /// - no endpoint, or a malformed one;
    /// - a timeout or an interval of zero;
    /// - an endpoint with TLS without trusted root certificates, or in a build without TLS;
    /// - an `http://` endpoint on a client with TLS settings, unless `Tls::allow_plaintext_endpoints` was called;
    /// - a certificate or key that cannot be read, or a key that does not match its certificate: the error names the file;
    /// - an empty user, password or token, or more than one of password, token and provider;
    /// - credentials for an endpoint reached over plaintext TCP, unless [`allow_plaintext_auth`](Self::allow_plaintext_auth) is set.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// match Client::builder(["http://10.0.0.1:2379", "10.0.0.2:99999"]).build() {
    ///     Ok(_client) => println!("connecting"),
    ///     Err(error) => eprintln!("{}", error.report()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "connect")]
    pub fn build(self) -> Result<Client, Error> {
        if self.timeout == Some(Duration::ZERO) {
            return Err(Error::invalid_config("timeout", "timeout must be greater than zero"));
        }
        if self.keepalive.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Error::invalid_config(
                "keepalive_timeout",
                "keepalive_timeout must be greater than zero",
            ));
        }
        if self.auto_sync == Some(Duration::ZERO) {
            return Err(Error::invalid_config(
                "auto_sync",
                "the auto_sync interval must be greater than zero",
            ));
        }
        let endpoints = parse(&self.endpoints)?;
        let least_version = self.min_server_version.as_deref().map(LeastVersion::parse).transpose()?;
        let (auto_sync, namespace) = (self.auto_sync, self.namespace.clone());
        let channel = Channel::start(self.settings(endpoints)?)?;
        let background = Background::start(channel.clone(), auto_sync, least_version);
        Ok(Client::calling(Caller::Pool(channel), background.into()).with_namespace(namespace))
    }

    pub(crate) fn settings(self, endpoints: Vec<Endpoint>) -> Result<Settings, Error> {
        let authority = self.authority.as_deref().map(parse_authority).transpose()?;
        let origins = Origins::new(&endpoints, self.tls, authority)?;
        let credentials = self.credentials;
        #[cfg(feature = "proxy")]
        let credentials = credentials.through(self.proxy.clone());
        let tokens = Tokens::new(credentials.finish()?, Headers::new(self.timeout));
        endpoints
            .iter()
            .try_for_each(|endpoint| tokens.check_endpoint(endpoint, origins.is_secure(endpoint)))?;
        let connector = self.connector;
        #[cfg(feature = "proxy")]
        let connector = match self.proxy {
            Some(proxy) => SharedConnector(Arc::new(ProxyConnector::new(proxy, connector))),
            None => connector,
        };
        let pool = PoolSettings {
            origins,
            connector,
            balance: self.balance,
            keepalive: self.keepalive,
            health: self.health,
            observer: self.observer,
            histories: Arc::default(),
            accepts_replacement: self.accepts_replacement,
        };
        let (limits, timeout, trace_keys) = (self.limits, self.timeout, self.trace_keys);
        Ok(Settings { endpoints, pool, limits, timeout, tokens, trace_keys })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let shown = self.endpoints.iter().take(SHOWN);
        let endpoints: Vec<_> = shown.map(|endpoint| without_user(endpoint)).collect();
        f.debug_struct("ClientBuilder")
            .field("endpoints", &endpoints)
            .field("timeout", &self.timeout)
            .field("limits", &self.limits)
            .field("tls", &self.tls)
            .field("authority", &self.authority)
            .field("auto_sync", &self.auto_sync)
            .field("min_server_version", &self.min_server_version)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// Parses the endpoints and drops duplicates.
pub(crate) fn parse(texts: &[String]) -> Result<Vec<Endpoint>, Error> {
    let mut seen = HashSet::new();
    let mut endpoints = Vec::with_capacity(texts.len());
    for text in texts {
        let endpoint: Endpoint = text.parse()?;
        if seen.insert(endpoint.address().clone()) {
            endpoints.push(endpoint);
        }
    }
    if endpoints.is_empty() {
        return Err(Error::invalid_config("endpoints", "at least one endpoint is required"));
    }
    Ok(endpoints)
}

fn parse_authority(text: &str) -> Result<Authority, Error> {
    match text.parse::<Authority>() {
        Ok(authority) if !text.contains('@') => Ok(authority),
        _ => Err(Error::invalid_config("authority", "authority must be a host, optionally with a port")),
    }
}
