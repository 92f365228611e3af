//! The settings of a client.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use etcd_errors::Error;
use http::uri::Authority;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::{handle::Client, least_version::LeastVersion, upkeep::Upkeep};
#[cfg(feature = "proxy")]
use crate::transport::proxy::{HttpProxy, ProxyConnector};
use crate::{
    model::{Endpoint, Key, Secret, without_user},
    op::Limits,
    transport::{
        caller::Caller,
        channel::{Channel, Settings},
        connector::{BoxError, ServiceConnector, SharedConnector, Target},
        headers::Headers,
        method::DEFAULT_TIMEOUT,
        observe::{Observer, SharedObserver},
        origin::Origins,
        pool::{KeepaliveSettings, PoolSettings},
        tcp::DirectConnector,
        tls::Tls,
        token::{Configured, TokenProvider, Tokens},
        wish::Balance,
    },
};

/// Collects the settings of a [`Client`]; [`build`](Self::build) checks them.
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

    /// How long a call may take in all: waiting for a connection, every attempt, and decoding. Default: 5 s.
    ///
    /// A call can choose its own with its `timeout` setter. A physical compaction has no default deadline: it answers when
    /// the store has been rewritten.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets calls wait for ever unless they choose their own timeout.
    pub fn no_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// What is refused before it is sent, and the largest answer that is read. Default: etcd's own limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How calls are shared among the members. Default: [`Balance::Balanced`].
    pub fn balance(mut self, balance: Balance) -> Self {
        self.balance = balance;
        self
    }

    /// Listens to what the members say of their own health, and spares one that says it is not serving. Default: no.
    ///
    /// It helps where members are started to say so while they defragment (`--feature-gates=StopGRPCServiceOnDefrag=true` from
    /// etcd 3.6 on), and costs a connection and a stream for each.
    pub fn health_hints(mut self) -> Self {
        self.health = true;
        self
    }

    /// How often a connection that carries nothing but long-lived streams asks its member for a sign of life. Default: 10 s.
    ///
    /// What etcd would punish is raised to what it allows: 5.5 s. An idle connection is never asked; one with a call that
    /// waits for its answer is asked after 1 s of silence, at most once in 5.5 s.
    pub fn keepalive_interval(mut self, interval: Duration) -> Self {
        self.keepalive.interval = interval;
        self
    }

    /// Sets how long a member may leave a PING unanswered before its connection is given up. Default: 2 s for a connection
    /// with calls, 5 s for one with streams.
    ///
    /// Writes in flight then end with an unknown outcome; with the default that is after 3 s of silence. New calls, and reads
    /// in flight, leave the connection earlier: 1 s after the PING.
    pub fn keepalive_timeout(mut self, timeout: Duration) -> Self {
        self.keepalive.timeout = Some(timeout);
        self
    }

    /// How endpoints with TLS recognise their members, and what certificate the client shows. Those are `https://` and
    /// `unixs:` endpoints, and with this setting also endpoints without a scheme.
    ///
    /// Default: none is needed while no endpoint asks for TLS. For one that does, the authorities of the operating system
    /// where the feature `tls-native-roots` is on, else an error.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The `:authority` of every request, for a proxy that goes by it. Default: host and port of the endpoint in use.
    ///
    /// It changes neither what is dialled nor the name that a certificate must carry.
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// Makes the byte streams to the members. Default: TCP and unix sockets, dialled directly.
    ///
    /// The service is cloned for each connection. TLS, where an endpoint asks for it, is spoken inside of its streams.
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

    /// Follows the cluster's members: [`Client::sync`] at the start and then about every `interval`, for as long as the
    /// client lives. What fails is logged and tried again after the next interval. Default: the endpoints stay as they are.
    pub fn auto_sync(mut self, interval: Duration) -> Self {
        self.auto_sync = Some(interval);
        self
    }

    /// Has [`Client::ready`] fail when a member answers that it runs an older etcd than this, such as `3.5` or `3.5.21`.
    /// Default: any version will do.
    ///
    /// Every endpoint is asked. One that does not answer within a second of the first is not judged: a cluster is usable
    /// while a member is down. Building the client asks nobody, and calls before `ready` are not held back.
    pub fn min_server_version(mut self, version: impl Into<String>) -> Self {
        self.min_server_version = Some(version.into());
        self
    }

    /// Reaches the members through an HTTP proxy, which the [`connector`](Self::connector) dials. Default: no proxy,
    /// whatever the environment says; see [`HttpProxy::from_env`].
    #[cfg(feature = "proxy")]
    pub fn proxy(mut self, proxy: HttpProxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Authenticates with a user and a password. Default: neither; a certificate's common name may name the user.
    ///
    /// The first call gets a token from etcd, within its own deadline, and all calls share it. Whenever a member takes it no
    /// more (it expired, users or roles changed, the member was restarted, auth was turned on), the call that hears so gets
    /// another, once for however many calls, and is sent again: what is rejected was not applied. While auth is off, calls carry
    /// no token.
    ///
    /// A wrong password is the error of every call ([`Code::AuthFailed`](etcd_errors::Code::AuthFailed)), and etcd is asked again
    /// at most once a second, because each question costs it the computation of a hash.
    ///
    /// The password is wiped from memory with the client; see [`Secret`] for what that does not reach.
    pub fn password(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials.set_password(user.into(), password.into());
        self
    }

    /// Sends this token with every call, for good: when etcd rejects it, that is the error of the call. Default: none.
    ///
    /// [`token_provider`](Self::token_provider) is for tokens that expire.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.credentials.set_token(token.into());
        self
    }

    /// Asks `provider` for a token before the first call, and for another whenever a member takes the last one no more.
    /// Default: none.
    pub fn token_provider(mut self, provider: impl TokenProvider) -> Self {
        self.credentials.set_provider(provider);
        self
    }

    /// Lets passwords and tokens go over TCP without TLS to other hosts, where everybody on the way can read them.
    ///
    /// Loopback addresses, the name `localhost` and unix sockets need no such leave, unless a proxy carries what goes there
    /// ([`HttpProxy::including_loopback`](crate::HttpProxy::including_loopback)): they are the proxy's own then.
    pub fn allow_plaintext_auth(mut self) -> Self {
        self.credentials.allow_plaintext();
        self
    }

    /// Is told of attempts, calls, endpoints and connections: see [`observe`](crate::observe). Default: nobody. A second one
    /// takes the place of the first.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = SharedObserver::new(observer);
        self
    }

    /// Whether to use another cluster, or an earlier history, that took the place of the known one, without being asked. Default:
    /// `false`: nothing is sent to it until [`Client::accept_cluster`] is called.
    ///
    /// With `true` the client accepts it as soon as no endpoint serves the known history any more. Use it where a wrong endpoint
    /// cannot happen, and where every writer can cope with a store that lost writes.
    pub fn accept_replaced_cluster(mut self, accept: bool) -> Self {
        self.accepts_replacement = accept;
        self
    }

    /// Lets the spans of gets, puts and deletes of one key show it, escaped and cut to 64 bytes, to subscribers that listen at
    /// TRACE. Default: no key is shown to anybody.
    pub fn trace_keys(mut self, trace_keys: bool) -> Self {
        self.trace_keys = trace_keys;
        self
    }

    /// Puts the keys of all operations under `prefix`, and takes it off those of the answers: the client sees nothing else of the
    /// store. Default: the keys are the store's own.
    ///
    /// [`Client::with_namespace`] does the same to a client that is there, and says what stays as it is.
    pub fn namespace(mut self, prefix: impl Into<Key>) -> Self {
        self.namespace = prefix.into();
        self
    }

    /// Starts connecting in the background and returns at once, whether or not a member can be reached: use
    /// [`Client::ready`] to wait for one.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) for an endpoint that cannot be read and for no endpoint at all;
    /// for one with TLS where nothing says whom to trust, or in a build without TLS; for an `http://` endpoint beside TLS
    /// that was set up, unless `Tls::allow_plaintext_endpoints` was called; and for certificates and keys that cannot be
    /// read or do not belong together, with the file's name.
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) as well for an empty user, password or token, for more than one of
    /// password, token and provider, and for any of them where an endpoint is reached over plaintext TCP and
    /// [`allow_plaintext_auth`](Self::allow_plaintext_auth) is not set;
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a tokio runtime.
    pub fn build(self) -> Result<Client, Error> {
        if self.timeout == Some(Duration::ZERO) {
            return Err(Error::invalid_config("timeout", "a timeout of zero fails every call"));
        }
        if self.keepalive.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Error::invalid_config(
                "keepalive_timeout",
                "a timeout of zero gives no member a chance",
            ));
        }
        if self.auto_sync == Some(Duration::ZERO) {
            return Err(Error::invalid_config("auto_sync", "an interval of zero never rests"));
        }
        let endpoints = parse(&self.endpoints)?;
        let least_version = self.min_server_version.as_deref().map(LeastVersion::parse).transpose()?;
        let (auto_sync, namespace) = (self.auto_sync, self.namespace.clone());
        let channel = Channel::start(self.settings(endpoints)?)?;
        let upkeep = Upkeep::start(channel.clone(), auto_sync, least_version);
        Ok(Client::calling(Caller::Pool(channel), upkeep.into()).with_namespace(namespace))
    }

    pub(super) fn settings(self, endpoints: Vec<Endpoint>) -> Result<Settings, Error> {
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

/// Reads the endpoints, each once.
pub(super) fn parse(texts: &[String]) -> Result<Vec<Endpoint>, Error> {
    let mut seen = HashSet::new();
    let mut endpoints = Vec::with_capacity(texts.len());
    for text in texts {
        let endpoint: Endpoint = text.parse()?;
        if seen.insert(endpoint.address().clone()) {
            endpoints.push(endpoint);
        }
    }
    if endpoints.is_empty() {
        return Err(Error::invalid_config("endpoints", "no endpoint was given"));
    }
    Ok(endpoints)
}

fn parse_authority(text: &str) -> Result<Authority, Error> {
    match text.parse::<Authority>() {
        Ok(authority) if !text.contains('@') => Ok(authority),
        _ => Err(Error::invalid_config("authority", "the authority is no host with or without a port")),
    }
}
