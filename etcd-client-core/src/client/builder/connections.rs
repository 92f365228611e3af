//! Settings for connections: TLS, proxies, keepalive, and the endpoints and members to use.

use std::{sync::Arc, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

#[cfg(feature = "proxy")]
use crate::transport::connect::proxy::HttpProxy;
#[cfg(feature = "tls")]
use crate::transport::connect::tls::Tls;
use crate::{
    client::ClientBuilder,
    transport::connect::{BoxError, ServiceConnector, SharedConnector, Target},
};

impl ClientBuilder {
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

    /// Subscribes to the gRPC health service of each member, and avoids members that report that they are not serving. Default: off.
    ///
    /// This helps with members that report this state during a defragmentation (`--feature-gates=StopGRPCServiceOnDefrag=true` from etcd
    /// 3.6 on). It costs a connection and a stream for each member.
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

    /// Syncs the endpoints with the cluster's members periodically, for as long as the client lives. Default: off.
    ///
    /// [`Client::sync`](crate::client::Client::sync) runs at the start and then about every `interval`. A failed sync is logged and retried after the next interval.
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

    /// Makes [`Client::ready`](crate::client::Client::ready) fail if a member runs an older etcd than this, such as `3.5` or `3.5.21`. Default: any version is accepted.
    ///
    /// Every endpoint is checked once; those added later by the next `ready`. A member that does not respond within a second of the first
    /// response is skipped, because a cluster is usable while a member is down, and checked by a `ready` after it was connected. Building the
    /// client checks no version, and calls made before `ready` are not delayed.
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

    /// Sets whether to switch automatically to another cluster, or an earlier history, that has replaced the known one. Default: `false`.
    ///
    /// By default nothing is sent to a replaced cluster until [`Client::accept_cluster`](crate::client::Client::accept_cluster) is called. With `true` the client accepts it once no
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
}
