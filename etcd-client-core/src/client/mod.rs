//! The client and its builder, and leases that are granted again after a loss.
//!
//! [`Client::builder`] takes the endpoints and sets TLS, credentials, timeouts, limits and the balancing of calls. A [`Client`] is
//! cheap to clone, and its clones share their connections.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example() -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//! use etcd_client_core::Client;
//!
//! let client = Client::builder(["http://10.0.0.1:2379", "http://10.0.0.2:2379"]).timeout(Duration::from_secs(2)).build()?;
//! client.ready().await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod background;
pub(crate) mod builder;
#[cfg(all(feature = "srv", feature = "tls"))]
pub(crate) mod discovered;
pub(crate) mod endpoints;
pub(crate) mod healing;
pub(crate) mod least_version;
pub(crate) mod lifecycle;
pub(crate) mod namespaced;
pub(crate) mod operations;
pub(crate) mod service_clients;
pub(crate) mod services;
pub(crate) mod stub;
pub(crate) mod updates;

use std::{fmt, sync::Arc};

use crate::{
    auth::remote::RemoteAuth,
    client::{background::Background, namespaced::Namespaced},
    cluster::remote::RemoteCluster,
    election::remote::RemoteElection,
    kv::remote::RemoteKv,
    lease::remote::RemoteLease,
    lock::remote::RemoteLock,
    maintenance::remote::RemoteMaintenance,
    namespace::Namespace,
    transport::{call::channel::Channel, caller::Caller},
    types::Key,
    update::marker::Markers,
    watch::remote::RemoteWatch,
};

pub use builder::ClientBuilder;
pub use healing::{HealingLease, HealingLeaseBuilder, event::HealingEvent};

/// A client of one etcd cluster.
///
/// A client is cheap to clone, and clones share their connections. Every method takes `&self`. The methods for keys return an operation:
/// a builder for options that is awaited.
///
/// ```no_run
/// # async fn example() -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::{Client, Compare, Put};
///
/// let client = Client::builder(["http://127.0.0.1:2379"]).build()?;
/// client.put("greeting", "hello").await?;
/// let found = client.get("greeting").await?;
/// assert_eq!(found.kvs[0].value, "hello");
///
/// let txn = client.txn().when(Compare::version("greeting").equal(1)).then(Put::new("greeting", "hello again"));
/// assert!(txn.await?.succeeded());
/// # Ok(())
/// # }
/// ```
///
/// # Service traits
///
/// The client implements each of the service traits: [`KvService`], [`LeaseService`], [`WatchService`], [`AuthService`], [`ClusterService`], [`MaintenanceService`],
/// [`LockService`] and [`ElectionService`]. So do references, [`Arc`]s and [`Box`]es of a service. Code that accepts any service can
/// hold a client behind a trait object, and a mock in tests:
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::sync::Arc;
/// use etcd_client_core::Get;
/// use etcd_client_core::kv::KvService;
///
/// let kv: Arc<dyn KvService> = Arc::new(client);
/// let found = Get::new("greeting").bind(&kv).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Lifetime
///
/// The connections and the member sync end with [`close`](Self::close), or when the last clone and the last handle are dropped.
/// Each handle with a background task keeps the client alive: [`LeaseKeeper`](crate::lease::LeaseKeeper),
/// [`HealingLease`], [`WatchStream`](crate::watch::WatchStream), [`EventStream`](crate::watch::EventStream),
/// [`Cache`](crate::cache::Cache), the handles of `naming`, and the sessions and guards of `etcd-concurrency`. Handles that only observe do
/// not: [`EndpointStates`] ends with the client. A [`SnapshotStream`](crate::snapshot::SnapshotStream) keeps its connection open. Responses of
/// generated stubs keep nothing alive.
///
/// # Cancel safety
///
/// The future of an operation can be dropped at any time, and no resources are leaked. A write dropped in flight may or may not be
/// applied.
///
/// [`AuthService`]: crate::auth::AuthService
/// [`ClusterService`]: crate::cluster::ClusterService
/// [`ElectionService`]: crate::election::ElectionService
/// [`EndpointStates`]: crate::transport::EndpointStates
/// [`KvService`]: crate::kv::KvService
/// [`LeaseService`]: crate::lease::LeaseService
/// [`LockService`]: crate::lock::LockService
/// [`MaintenanceService`]: crate::maintenance::MaintenanceService
/// [`WatchService`]: crate::watch::WatchService
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    channel: Channel,
    kv: RemoteKv,
    lease: RemoteLease,
    background: Arc<Background>,
    auth: RemoteAuth,
    cluster: RemoteCluster,
    maintenance: RemoteMaintenance,
    watch: RemoteWatch,
    lock: RemoteLock,
    election: RemoteElection,
    markers: Arc<Markers>,
    /// The decorated services of a client with a namespace.
    namespaced: Option<Namespaced>,
}

impl Client {
    /// Returns a builder for a client of the members at `endpoints`.
    ///
    /// An endpoint is `host:port`, optionally with a scheme such as `http://`, `https://`, `unix:` or `unixs:`. See
    /// [`Endpoint`](crate::types::Endpoint) for all forms.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379"]).build()?;
    /// client.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "connect")]
    #[doc(alias = "New")]
    #[doc(alias = "NewFromURL")]
    #[doc(alias = "NewFromURLs")]
    #[doc(alias = "Config")]
    pub fn builder<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> ClientBuilder {
        ClientBuilder::new(endpoints)
    }

    /// Creates a client whose KV, lease, watch, lock, election and auth services call through `caller`.
    ///
    /// The cluster and maintenance services call on the channel of `caller`, because they address single members.
    pub(crate) fn calling(caller: Caller, background: Arc<Background>) -> Self {
        let channel = caller.channel().clone();
        let kv = RemoteKv::new(caller.clone());
        let lease = RemoteLease::new(caller.clone()).keeping(Arc::clone(&background) as _);
        let watch = RemoteWatch::new(caller.clone()).keeping(Arc::clone(&background) as _);
        let lock = RemoteLock::new(caller.clone());
        let election = RemoteElection::new(caller.clone());
        let auth = RemoteAuth::new(caller);
        let cluster = RemoteCluster::new(channel.clone());
        let maintenance = RemoteMaintenance::new(channel.clone());
        let namespaced = None;
        let shared = Shared {
            channel,
            kv,
            lease,
            auth,
            cluster,
            maintenance,
            watch,
            lock,
            election,
            markers: Arc::default(),
            namespaced,
            background,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns a client that prepends `prefix` to every key, replacing any existing namespace.
    pub(crate) fn under(&self, prefix: &Key) -> Self {
        let mut shared = Shared::clone(&self.shared);
        let namespaced = Namespaced {
            kv: Namespace::new(shared.kv.clone(), prefix),
            lease: Namespace::new(shared.lease.clone(), prefix),
            watch: Namespace::new(shared.watch.clone(), prefix),
            lock: Namespace::new(shared.lock.clone(), prefix),
            election: Namespace::new(shared.election.clone(), prefix),
        };
        shared.namespaced = (!prefix.is_empty()).then_some(namespaced);
        // Markers are keys of the namespace.
        shared.markers = Arc::default();
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn namespaced(&self) -> Option<&Namespaced> {
        self.shared.namespaced.as_ref()
    }

    pub(crate) fn background(&self) -> &Arc<Background> {
        &self.shared.background
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Client");
        out.field("channel", &self.shared.channel);
        if let Some(namespaced) = self.namespaced() {
            out.field("namespace", namespaced.kv.prefix());
        }
        out.finish_non_exhaustive()
    }
}
