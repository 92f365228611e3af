//! The builder of a client.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use etcd_errors::Error;
use http::uri::Authority;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

#[cfg(feature = "proxy")]
use crate::transport::connect::proxy::HttpProxy;
#[cfg(feature = "proxy")]
use crate::transport::connect::proxy::tunnel::ProxyConnector;
use crate::{
    client::{Client, background::Upkeep, least_version::LeastVersion},
    request::Limits,
    transport::{
        balance::Balance,
        call::channel::{Channel, Settings},
        caller::Caller,
        connect::{BoxError, ServiceConnector, SharedConnector, Target, tcp::DirectConnector, tls::Tls},
        endpoint::authority::Origins,
        grpc::{headers::Headers, method::DEFAULT_TIMEOUT},
        observe::observer::{Observer, SharedObserver},
        pool::{KeepaliveSettings, PoolSettings},
        token::{Tokens, credentials::Configured, provider::TokenProvider},
    },
    types::{Endpoint, Key, Secret, without_user},
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

    /// Sets the deadline of a call, from its start to its result. Default: 5 s.
    ///
    /// The deadline covers waiting for a connection, every attempt and decoding. A call overrides it with its own `timeout` setter. A physical
    /// compaction has no default deadline: it completes once the store has been rewritten.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).timeout(Duration::from_secs(2)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "with_timeout")]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Removes the default deadline. Calls without a timeout of their own then wait indefinitely.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).no_timeout().build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn no_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// Sets the limits on requests and the size of the largest accepted response. Default: the limits of etcd.
    ///
    /// Requests that exceed a limit fail without being sent.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    /// use etcd_client_core::request::Limits;
    ///
    /// // For members started with `--max-request-bytes=8388608`.
    /// let limits = Limits::default().max_request_bytes(8 << 20);
    /// let client = Client::builder(["http://127.0.0.1:2379"]).limits(limits).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MaxCallSendMsgSize")]
    #[doc(alias = "MaxCallRecvMsgSize")]
    #[doc(alias = "max_decoding_message_size")]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how calls are balanced among the members. Default: [`Balance::Balanced`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    /// use etcd_client_core::transport::Balance;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).balance(Balance::default()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn balance(mut self, balance: Balance) -> Self {
        self.balance = balance;
        self
    }

    /// Subscribes to the gRPC health service of each member, and avoids members that report that they are not serving. Default: off.
    ///
    /// This helps if members report it while they defragment (`--feature-gates=StopGRPCServiceOnDefrag=true` from etcd 3.6 on). It costs
    /// a connection and a stream for each member.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).health_hints().build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn health_hints(mut self) -> Self {
        self.health = true;
        self
    }

    /// Sets how often a connection that carries only long-lived streams sends an HTTP/2 PING. Default: 10 s.
    ///
    /// Intervals that etcd would punish are raised to the shortest one it allows: 5.5 s. An idle connection sends no PING. A connection with
    /// a call in flight sends one after 1 s without data, at most once in 5.5 s.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).keepalive_interval(Duration::from_secs(30)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DialKeepAliveTime")]
    #[doc(alias = "with_keep_alive")]
    pub fn keepalive_interval(mut self, interval: Duration) -> Self {
        self.keepalive.interval = interval;
        self
    }

    /// Sets how long to wait for the reply to a PING before the connection is closed. Default: 2 s for a connection with calls, 5 s
    /// for one with streams.
    ///
    /// Writes in flight then fail with an unknown outcome, with the default after 3 s without a response. New calls and reads in flight
    /// move to another member earlier: 1 s after the PING.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).keepalive_timeout(Duration::from_secs(4)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DialKeepAliveTimeout")]
    #[doc(alias = "with_keep_alive")]
    pub fn keepalive_timeout(mut self, timeout: Duration) -> Self {
        self.keepalive.timeout = Some(timeout);
        self
    }

    /// Sets how endpoints with TLS are verified, and the certificate that the client presents.
    ///
    /// Endpoints with TLS are `https://` and `unixs:` endpoints and, with this setting, also endpoints without a scheme. Default: no setting
    /// is needed while no endpoint requires TLS. An endpoint with TLS is verified with the root certificates of the operating system if the
    /// feature `tls-native-roots` is enabled, and is an error otherwise.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Client, Tls};
    ///
    /// let tls = Tls::new().ca_pem_file("/etc/etcd/ca.pem");
    /// let client = Client::builder(["https://10.0.0.1:2379"]).tls(tls).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "with_tls")]
    #[doc(alias = "TlsOptions")]
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets the `:authority` of every request, for a proxy that routes by it. Default: host and port of the endpoint in use.
    ///
    /// It changes neither the address that is dialled nor the name that a certificate must carry.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://10.0.0.1:8080"]).authority("etcd.internal").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// Sets the service that opens byte streams to the members. Default: TCP and unix sockets, dialled directly.
    ///
    /// The service is cloned for each connection. If an endpoint uses TLS, the client runs it on top of the byte stream.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    /// use etcd_client_core::transport::Target;
    ///
    /// // Only a sketch: a real connector dials the target.
    /// let connector = tower::service_fn(|_target: Target| async {
    ///     let (ours, _theirs) = tokio::io::duplex(1024);
    ///     Ok::<_, std::io::Error>(ours)
    /// });
    /// let client = Client::builder(["http://127.0.0.1:2379"]).connector(connector).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connector<S>(mut self, connector: S) -> Self
    where
        S: Service<Target> + Clone + Send + Sync + 'static,
        S::Response: AsyncRead + AsyncWrite + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        self.connector = SharedConnector(Arc::new(ServiceConnector(connector)));
        self
    }

    /// Syncs the endpoints with the cluster's members periodically, for as long as the client lives. Default: off.
    ///
    /// [`Client::sync`] runs at the start and then about every `interval`. A failed sync is logged and retried after the next interval.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).auto_sync(Duration::from_secs(60)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AutoSyncInterval")]
    pub fn auto_sync(mut self, interval: Duration) -> Self {
        self.auto_sync = Some(interval);
        self
    }

    /// Makes [`Client::ready`] fail if a member runs an older etcd than this, such as `3.5` or `3.5.21`. Default: any version is accepted.
    ///
    /// Every endpoint is checked. A member that does not respond within a second of the first response is skipped, because a cluster is usable
    /// while a member is down. Building the client checks no version, and calls made before `ready` are not delayed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).min_server_version("3.5").build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "RejectOldCluster")]
    pub fn min_server_version(mut self, version: impl Into<String>) -> Self {
        self.min_server_version = Some(version.into());
        self
    }

    /// Connects to the members through an HTTP proxy, which the [`connector`](Self::connector) dials. Default: no proxy.
    ///
    /// The environment is not read unless [`HttpProxy::from_env`] is used.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    /// use etcd_client_core::transport::HttpProxy;
    ///
    /// let client = Client::builder(["https://10.0.0.1:2379"]).proxy(HttpProxy::from_env()?).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "proxy")]
    pub fn proxy(mut self, proxy: HttpProxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Authenticates with a user name and a password. Default: none. The common name of a client certificate may identify the user instead.
    ///
    /// The first call obtains a token from etcd within its own deadline, and all calls share it. When a member rejects the token (it expired,
    /// users or roles changed, the member was restarted, auth was enabled), one new token is obtained for all affected calls, and these calls are
    /// retried: a rejected call was not applied. While auth is disabled, calls carry no token.
    ///
    /// With a wrong password every call fails with [`Code::AuthFailed`](etcd_errors::Code::AuthFailed). The password is then tried at most
    /// once a second, because each check makes etcd compute a hash.
    ///
    /// The password is erased from memory with the client. See [`Secret`] for the limits of this.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["https://10.0.0.1:2379"]).password("alice", "correct horse").build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Username")]
    #[doc(alias = "Password")]
    #[doc(alias = "with_user")]
    #[doc(alias = "Authenticate")]
    pub fn password(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials.set_password(user.into(), password.into());
        self
    }

    /// Sends this token with every call. Default: none.
    ///
    /// The token is never replaced: a call fails if etcd rejects it. Use [`token_provider`](Self::token_provider) for tokens that
    /// expire.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// # let token = String::new();
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["https://10.0.0.1:2379"]).token(token).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.credentials.set_token(token.into());
        self
    }

    /// Obtains tokens from `provider`: one before the first call, and another one whenever a member rejects the current one. Default: none.
    ///
    /// # Examples
    ///
    /// See [`TokenProvider`].
    #[doc(alias = "PerRPCCredentials")]
    pub fn token_provider(mut self, provider: impl TokenProvider) -> Self {
        self.credentials.set_provider(provider);
        self
    }

    /// Allows passwords and tokens to be sent to other hosts over TCP without TLS, where they can be read in transit.
    ///
    /// Loopback addresses, the name `localhost` and unix sockets do not need this permission, except through a proxy that carries them
    /// ([`HttpProxy::including_loopback`](crate::transport::connect::proxy::HttpProxy::including_loopback)), where they are addresses of the proxy's host.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// // The network between client and members is encrypted by other means.
    /// let client = Client::builder(["http://10.0.0.1:2379"])
    ///     .password("alice", "correct horse")
    ///     .allow_plaintext_auth()
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_plaintext_auth(mut self) -> Self {
        self.credentials.allow_plaintext();
        self
    }

    /// Sets the observer that is notified of attempts, calls, endpoints and connections. Default: none. A second observer replaces the first.
    ///
    /// See [`observe`](crate::transport::observe) for the events, and for `tracing` spans and metrics.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Client, observe::{CallEvent, Observer}};
    ///
    /// struct Log;
    ///
    /// impl Observer for Log {
    ///     fn call(&self, event: &CallEvent) {
    ///         println!("{event:?}");
    ///     }
    /// }
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).observer(Log).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "metrics")]
    #[doc(alias = "interceptor")]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = SharedObserver::new(observer);
        self
    }

    /// Sets whether to switch automatically to another cluster, or an earlier history, that has replaced the known one. Default: `false`.
    ///
    /// By default nothing is sent to a replaced cluster until [`Client::accept_cluster`] is called. With `true` the client accepts it once no
    /// endpoint serves the known history any longer. Use `true` only if an endpoint cannot point to a wrong cluster by mistake, and if
    /// every writer can handle a store that has lost writes.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).accept_replaced_cluster(true).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn accept_replaced_cluster(mut self, accept: bool) -> Self {
        self.accepts_replacement = accept;
        self
    }

    /// Sets whether the spans of gets, puts and deletes of a single key contain the key. Default: `false`.
    ///
    /// The key is escaped and cut to 64 bytes, and only shown to subscribers that listen at TRACE.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).trace_keys(true).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn trace_keys(mut self, trace_keys: bool) -> Self {
        self.trace_keys = trace_keys;
        self
    }

    /// Prepends `prefix` to the keys of all operations and removes it from the keys of responses. Default: no prefix.
    ///
    /// The client sees no other keys. [`Client::with_namespace`] does the same for an existing client, and lists the exceptions.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).namespace("prod/").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn namespace(mut self, prefix: impl Into<Key>) -> Self {
        self.namespace = prefix.into();
        self
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
        let upkeep = Upkeep::start(channel.clone(), auto_sync, least_version);
        Ok(Client::calling(Caller::Pool(channel), upkeep.into()).with_namespace(namespace))
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
