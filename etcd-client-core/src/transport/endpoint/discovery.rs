//! Endpoint discovery with DNS SRV records.

use std::{net::SocketAddr, time::Duration};

use etcd_errors::{Attempt, Error, ErrorKind, ErrorTopic};
use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};
use tokio::time::timeout;

use crate::{
    transport::{
        check_runtime,
        endpoint::srv::{self, SrvRecord},
        grpc::{method::DEFAULT_TIMEOUT, timeout::seconds},
    },
    types::Endpoint,
};

const OPERATION: &str = "srv discovery";

/// The number of tries within the timeout, so that one lost datagram costs only a part of it.
const TRIES: u32 = 3;

/// Finds the members of a cluster with DNS SRV records.
///
/// Records of `_etcd-client-ssl._tcp.DOMAIN` become `https` endpoints, and those of `_etcd-client._tcp.DOMAIN` become
/// `http` endpoints. A member with both is used with TLS. Endpoints are ordered by priority, and randomly by weight
/// within a priority.
///
/// # Examples
///
/// ```no_run
/// use etcd_client_core::Client;
/// use etcd_client_core::transport::Discovery;
///
/// # async fn example() -> Result<(), etcd_client_core::Error> {
/// let members = Discovery::srv("example.com").service_name("orders").endpoints().await?;
/// let client = Client::builder(members).build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// DNS responses are not authenticated. A client built from [`endpoints`](Self::endpoints) verifies that each
/// certificate contains the target of its SRV record. An attacker who can forge a response chooses that target, and
/// only needs a certificate of a trusted CA for any name. `Discovery::builder_with_tls` verifies that each certificate
/// contains the domain instead.
#[derive(Clone, Debug)]
#[must_use = "nothing is looked up until `endpoints` is called"]
pub struct Discovery {
    domain: String,
    service_name: Option<String>,
    tls_only: bool,
    #[cfg(feature = "tls")]
    trust_targets: bool,
    name_servers: Vec<SocketAddr>,
    timeout: Duration,
}

impl Discovery {
    /// Creates a discovery for the SRV records of `domain`. A trailing dot marks the name as complete; without it, the
    /// search list of the system applies.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::Discovery;
    ///
    /// let discovery = Discovery::srv("example.com.");
    /// ```
    pub fn srv(domain: impl Into<String>) -> Self {
        Self {
            domain: domain.into(),
            service_name: None,
            tls_only: false,
            #[cfg(feature = "tls")]
            trust_targets: false,
            name_servers: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Looks up `_etcd-client-ssl-NAME` and `_etcd-client-NAME` instead, to distinguish several clusters in one
    /// domain. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::Discovery;
    ///
    /// // Looks up `_etcd-client-ssl-orders._tcp.example.com`.
    /// let discovery = Discovery::srv("example.com").service_name("orders");
    /// ```
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Ignores members without TLS. Otherwise a forged DNS response can make a client use plaintext. By default they
    /// are included.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::Discovery;
    ///
    /// let discovery = Discovery::srv("example.com").tls_only();
    /// ```
    pub fn tls_only(mut self) -> Self {
        self.tls_only = true;
        self
    }

    /// Makes [`builder_with_tls`](Self::builder_with_tls) verify that each certificate contains the target of its SRV
    /// record instead of the domain. `etcdctl` does the same unless `--insecure-discovery=false` is set. Default: the
    /// domain.
    ///
    /// Use it only if the certificates contain no other names than those of the members. An attacker who can forge a
    /// DNS response chooses these names.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::Discovery;
    ///
    /// let discovery = Discovery::srv("example.com").tls_only().trust_targets();
    /// ```
    #[cfg(feature = "tls")]
    pub fn trust_targets(mut self) -> Self {
        self.trust_targets = true;
        self
    }

    /// Sets the DNS servers to query. Default: those of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::Discovery;
    ///
    /// let discovery = Discovery::srv("example.com").name_servers([([10, 0, 0, 53], 53).into()]);
    /// ```
    pub fn name_servers(mut self, servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.name_servers = servers.into_iter().collect();
        self
    }

    /// Sets the timeout of the whole lookup. Default: 5 s.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use etcd_client_core::transport::Discovery;
    ///
    /// let discovery = Discovery::srv("example.com").timeout(Duration::from_secs(2));
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks up the members once. To follow later changes, call it again, or let the client update its endpoints with
    /// [`auto_sync`](crate::client::ClientBuilder::auto_sync).
    ///
    /// # Errors
    ///
    /// - [`Unavailable`](ErrorKind::Unavailable) if no record names a member. [`attempts`](Error::attempts) contains
    ///   the DNS error of each name.
    /// - [`Timeout`](ErrorKind::Timeout) if DNS does not respond in time.
    /// - [`InvalidConfig`](ErrorKind::InvalidConfig) if the domain is not a valid DNS name.
    /// - [`NoRuntime`](ErrorKind::NoRuntime) outside a Tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::Discovery;
    ///
    /// # async fn example() -> Result<(), etcd_client_core::Error> {
    /// for endpoint in Discovery::srv("example.com").endpoints().await? {
    ///     println!("{endpoint}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        let found = async {
            check_runtime()?;
            timeout(self.timeout, self.look_up()).await.unwrap_or_else(|_elapsed| {
                let text = format!("DNS did not respond within {}", seconds(self.timeout));
                let error = Error::new(ErrorKind::Timeout, text).with_topic(ErrorTopic::NameLookup);
                Err(error.with_elapsed(self.timeout))
            })
        };
        found.await.map_err(|error| error.with_operation(OPERATION))
    }

    /// Returns the name that every certificate must contain, if it is the same for all.
    #[cfg(feature = "tls")]
    pub(crate) fn server_name(&self) -> Option<&str> {
        (!self.trust_targets).then(|| self.domain.trim_end_matches('.'))
    }

    async fn look_up(&self) -> Result<Vec<Endpoint>, Error> {
        check_label("domain", &self.domain, true)?;
        if let Some(name) = &self.service_name {
            check_label("service_name", name, false)?;
        }
        let resolver = self.resolver().map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the DNS settings of the system cannot be used")
                .with_source(error)
        })?;
        let (secure, plain) = srv::names(&self.domain, self.service_name.as_deref());
        // In parallel, so that each lookup can use the whole timeout.
        let (with_tls, without) = tokio::join!(records(&resolver, &secure), async {
            if self.tls_only { Ok(Vec::new()) } else { records(&resolver, &plain).await }
        });
        let mut attempts = Vec::new();
        let mut taken = |name: String, found: Result<Vec<SrvRecord>, NetError>| {
            found.unwrap_or_else(|error| {
                attempts.push(Attempt::new(name, error.to_string()));
                Vec::new()
            })
        };
        let (with_tls, without) = (taken(secure, with_tls), taken(plain, without));
        let texts = srv::endpoints(with_tls, without, |most| fastrand::u64(0..=most));
        // A record whose target is not a host name is skipped, because the others may be valid.
        let endpoints: Vec<Endpoint> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        if endpoints.is_empty() {
            let text = format!("DNS has no SRV records of etcd members for {}", self.domain);
            let error = Error::new(ErrorKind::Unavailable, text).with_topic(ErrorTopic::NameLookup);
            return Err(error.with_attempts(attempts));
        }
        Ok(endpoints)
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut builder = if self.name_servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = self.name_servers.iter().copied().map(name_server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        builder.options_mut().timeout = self.timeout / TRIES;
        builder.options_mut().attempts = TRIES as usize;
        builder.build()
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(|protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

async fn records(resolver: &TokioResolver, name: &str) -> Result<Vec<SrvRecord>, NetError> {
    let found = resolver.srv_lookup(name).await?;
    let records = found.answers().iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => Some(SrvRecord {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_ascii(),
        }),
        _ => None,
    });
    Ok(records.collect())
}

fn check_label(field: &'static str, text: &str, dots: bool) -> Result<(), Error> {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (dots && c == '.');
    let empty_label = text.strip_suffix('.').unwrap_or(text).split('.').any(str::is_empty);
    if empty_label || !text.chars().all(valid) {
        return Err(Error::invalid_config(field, format!("{text:?} is not a valid DNS name")));
    }
    Ok(())
}
