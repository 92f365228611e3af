//! Endpoints from DNS: the SRV records of a cluster.

use std::{net::SocketAddr, time::Duration};

use etcd_errors::{Attempt, Error, ErrorKind};
use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};
use tokio::time::timeout;

use super::{call::seconds, channel::check_runtime, method::DEFAULT_TIMEOUT};
use crate::{
    mechanism::srv::{self, SrvRecord},
    model::Endpoint,
};

const OPERATION: &str = "srv discovery";

/// One lost datagram is to cost a part of the time only.
const TRIES: u32 = 3;

/// Finds the members of a cluster in DNS.
///
/// The records of `_etcd-client-ssl._tcp.DOMAIN` become `https` endpoints, those of `_etcd-client._tcp.DOMAIN` become
/// `http` ones; a member of both is used with TLS. They come in the order of their priorities and, by chance, weights.
///
/// ```no_run
/// use etcd_client_core::{Client, Discovery};
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
/// Answers of DNS are not authenticated. A client built from [`endpoints`](Self::endpoints) verifies that each certificate carries
/// the target of its record: who can forge an answer chooses the target, and needs a certificate of an accepted CA for any name.
/// `Discovery::builder_with_tls` verifies that it carries the domain.
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
    /// By the SRV records of `domain`. With a dot at its end the name is complete; without one the search list of the
    /// system applies to it as to any name.
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

    /// Looks for `_etcd-client-ssl-NAME` and `_etcd-client-NAME` instead: for several clusters in one domain. Default:
    /// none.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Leaves out members without TLS: who can forge an answer of DNS can otherwise lead a client to plaintext.
    /// Default: they are used.
    pub fn tls_only(mut self) -> Self {
        self.tls_only = true;
        self
    }

    /// Has [`builder_with_tls`](Self::builder_with_tls) verify that each certificate carries the target of its record instead of
    /// the domain, as etcdctl does unless `--insecure-discovery=false` is given. Default: the domain.
    ///
    /// It is for certificates that carry the members' own names only. Who can forge an answer of DNS chooses those names.
    #[cfg(feature = "tls")]
    pub fn trust_targets(mut self) -> Self {
        self.trust_targets = true;
        self
    }

    /// Asks these DNS servers instead of the system's. Default: the system's.
    pub fn name_servers(mut self, servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.name_servers = servers.into_iter().collect();
        self
    }

    /// How long it may take in all. Default: 5 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks the members up: once, so look again to hear of changes, or let the client follow them with
    /// [`auto_sync`](crate::ClientBuilder::auto_sync).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) when no record names a member; [`attempts`](Error::attempts) holds what DNS
    /// said of each name. [`Timeout`](ErrorKind::Timeout), [`InvalidConfig`](ErrorKind::InvalidConfig) for a domain that
    /// is no name, and [`NoRuntime`](ErrorKind::NoRuntime) outside of a tokio runtime.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        let found = async {
            check_runtime()?;
            timeout(self.timeout, self.look_up()).await.unwrap_or_else(|_elapsed| {
                let text = format!("DNS did not answer within {}", seconds(self.timeout));
                Err(Error::new(ErrorKind::Timeout, text).with_elapsed(self.timeout))
            })
        };
        found.await.map_err(|error| error.with_operation(OPERATION))
    }

    /// The name that each certificate must carry, where it is the same for all.
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
            Error::new(ErrorKind::Unavailable, "the system's DNS settings cannot be used").with_source(error)
        })?;
        let (secure, plain) = srv::names(&self.domain, self.service_name.as_deref());
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
        // What is no host name is not for us: the other records may be.
        let endpoints: Vec<Endpoint> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        if endpoints.is_empty() {
            let text = format!("DNS names no etcd member for {}", self.domain);
            return Err(Error::new(ErrorKind::Unavailable, text).with_attempts(attempts));
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
        return Err(Error::invalid_config(field, format!("{text:?} is no name in DNS")));
    }
    Ok(())
}
