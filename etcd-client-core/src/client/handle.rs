//! The client handle and its operations.

use std::{fmt, sync::Arc, time::Duration};

use etcd_errors::Error;

use crate::{
    auth::{AuthClient, AuthService, remote::RemoteAuth},
    client::{ClientBuilder, HealingLeaseBuilder, background::Upkeep, namespaced::Namespaced},
    cluster::{ClusterClient, ClusterService, remote::RemoteCluster},
    election::{ElectionClient, ElectionService, remote::RemoteElection},
    kv::{Compact, Delete, Get, KvService, Put, remote::RemoteKv},
    lease::{LeaseClient, LeaseService, remote::RemoteLease},
    lock::{LockClient, LockService, remote::RemoteLock},
    maintenance::{MaintenanceClient, MaintenanceService, remote::RemoteMaintenance},
    namespace::Namespace,
    request::{Bound, CallOptions},
    snapshot::Snapshot,
    transport::{
        call::channel::Channel, caller::Caller, check_runtime, endpoint::EndpointStates,
        grpc::method::DEFAULT_TIMEOUT,
    },
    txn::{Op, OpResponse, Txn},
    types::{Key, Revision, Value},
    watch::{Watch, WatchService, remote::RemoteWatch},
};

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
/// [`HealingLease`](crate::client::HealingLease), [`WatchStream`](crate::watch::WatchStream), [`EventStream`](crate::watch::EventStream),
/// [`Cache`](crate::cache::Cache), the handles of `naming`, and the sessions and guards of `etcd-concurrency`. Handles that only observe do
/// not: [`EndpointStates`] ends with the client. A [`SnapshotStream`](crate::snapshot::SnapshotStream) keeps its connection open. Responses of
/// generated stubs keep nothing alive.
///
/// # Cancel safety
///
/// The future of an operation can be dropped at any time, and no resources are leaked. A write dropped in flight may or may not be
/// applied.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    channel: Channel,
    kv: RemoteKv,
    lease: RemoteLease,
    upkeep: Arc<Upkeep>,
    auth: RemoteAuth,
    cluster: RemoteCluster,
    maintenance: RemoteMaintenance,
    watch: RemoteWatch,
    lock: RemoteLock,
    election: RemoteElection,
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
    pub(crate) fn calling(caller: Caller, upkeep: Arc<Upkeep>) -> Self {
        let channel = caller.channel().clone();
        let kv = RemoteKv::new(caller.clone());
        let lease = RemoteLease::new(caller.clone()).keeping(Arc::clone(&upkeep) as _);
        let watch = RemoteWatch::new(caller.clone()).keeping(Arc::clone(&upkeep) as _);
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
            namespaced,
            upkeep,
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
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn namespaced(&self) -> Option<&Namespaced> {
        self.shared.namespaced.as_ref()
    }

    pub(crate) fn upkeep(&self) -> &Arc<Upkeep> {
        &self.shared.upkeep
    }

    /// Reads one key or, with [`prefix`](Get::prefix), [`range_end`](Get::range_end), [`from_key`](Get::from_key) or
    /// [`all_keys`](Get::all_keys), a range of keys.
    ///
    /// The read is linearizable unless [`serializable`](Get::serializable) is set. A missing key is not an error: the response has no
    /// pairs. To read a long range page by page, use [`pages`](Get::pages).
    ///
    /// # Errors
    ///
    /// [`Code::Compacted`](crate::Code::Compacted) or [`Code::FutureRev`](crate::Code::FutureRev) if a
    /// [`revision`](Get::revision) is set that cannot be read.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let found = client.get("config/limit").await?;
    /// if let Some(kv) = found.first() {
    ///     println!("{:?} at revision {}", kv.value_str(), kv.mod_revision);
    /// }
    ///
    /// let all = client.get("config/").prefix().keys_only().await?;
    /// println!("{} keys", all.count);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Range")]
    #[doc(alias = "range")]
    pub fn get(&self, key: impl Into<Key>) -> Get<Bound<'_, dyn KvService>> {
        Get::new(key).bind(self.kv())
    }

    /// Writes one key.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the key is empty or the request exceeds the [limits](crate::request::Limits).
    /// [`Code::LeaseNotFound`](crate::Code::LeaseNotFound) if the [`lease`](Put::lease) does not exist.
    /// [`Code::NoSpace`](crate::Code::NoSpace) if the database has reached its quota. [`Error::outcome`] states whether the write may
    /// have been applied.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown. The write is applied at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.put("config/limit", "10").await?;
    /// let replaced = client.put("config/limit", "20").prev_kv().await?;
    /// println!("before: {:?}", replaced.prev_kv);
    /// # Ok(())
    /// # }
    /// ```
    pub fn put(&self, key: impl Into<Key>, value: impl Into<Value>) -> Put<Bound<'_, dyn KvService>> {
        Put::new(key, value).bind(self.kv())
    }

    /// Deletes one key or, with [`prefix`](Delete::prefix) or another range setter, a range of keys.
    ///
    /// Deleting a missing key is not an error: the response counts zero deleted keys.
    ///
    /// # Errors
    ///
    /// Those of any write. [`Error::outcome`] states whether the keys may have been deleted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let response = client.delete("config/").prefix().await?;
    /// println!("{} keys deleted", response.deleted);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DeleteRange")]
    #[doc(alias = "delete_range")]
    pub fn delete(&self, key: impl Into<Key>) -> Delete<Bound<'_, dyn KvService>> {
        Delete::new(key).bind(self.kv())
    }

    /// Starts a transaction: compares keys, then executes one of two lists of operations atomically, at one revision.
    ///
    /// Use it for compare-and-swap. See [`Compare`](crate::txn::Compare) for what can be compared.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if an operation is invalid, if there are more operations than the
    /// [limits](crate::request::Limits) allow, or if one branch writes a key twice. Comparisons that do not hold are not an error: the `or_else`
    /// branch is executed and [`succeeded`](crate::txn::TxnResponse::succeeded) returns `false`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown. The transaction is applied at most once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Compare, Get, Put};
    ///
    /// let txn = client
    ///     .txn()
    ///     .when(Compare::value("config/limit").equal("10"))
    ///     .then(Put::new("config/limit", "20"))
    ///     .or_else(Get::new("config/limit"))
    ///     .await?;
    /// println!("swapped: {}", txn.succeeded());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "transaction")]
    #[doc(alias = "cas")]
    #[doc(alias = "compare_and_swap")]
    #[doc(alias = "compare_and_set")]
    pub fn txn(&self) -> Txn<Bound<'_, dyn KvService>> {
        Txn::new().bind(self.kv())
    }

    /// Discards the history of the store before `revision`.
    ///
    /// Reads and watches of earlier revisions fail from then on. With [`physical`](Compact::physical) the call waits until the history is
    /// removed from the member's database.
    ///
    /// # Errors
    ///
    /// [`Code::Compacted`](crate::Code::Compacted) if the store is compacted at this revision or a later one already.
    /// [`Code::FutureRev`](crate::Code::FutureRev) if the store has not reached the revision.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let revision = client.get("config/limit").await?.header.revision;
    /// client.compact(revision).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn compact(&self, revision: impl Into<Revision>) -> Compact<Bound<'_, dyn KvService>> {
        Compact::new(revision).bind(self.kv())
    }

    /// Executes an operation that is chosen at run time, with the default options of the client.
    ///
    /// Use [`execute`](crate::txn::execute()) to set the options of the call.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    ///
    /// # Cancel safety
    ///
    /// As for the operation: dropping a write in flight leaves its outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Get, Put};
    /// use etcd_client_core::txn::{Op, OpResponse};
    ///
    /// for op in [Op::from(Put::new("greeting", "hello")), Get::new("greeting").into()] {
    ///     if let OpResponse::Get(found) = client.execute(op).await? {
    ///         println!("{} pairs", found.kvs.len());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Do")]
    pub async fn execute(&self, op: impl Into<Op>) -> Result<OpResponse, Error> {
        crate::txn::execute(self.kv(), op, CallOptions::default()).await
    }

    /// Watches one key or, with [`prefix`](Watch::prefix), [`range_end`](Watch::range_end),
    /// [`from_key`](Watch::from_key) or [`all_keys`](Watch::all_keys), a range of keys.
    ///
    /// The watch starts now, or at an earlier revision with [`start_revision`](Watch::start_revision). It resumes after the loss of a
    /// member or a connection, without missing or repeating an event.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the watch is invalid. [`Code::Compacted`](crate::Code::Compacted), as
    /// the last item of the watch, if events it still needs were compacted: list the range again, or use
    /// [`resync`](Watch::resync) or a [`Cache`](crate::cache::Cache).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the creation of the watch.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut watch = client.watch("config/").prefix().await?;
    /// while let Some(response) = watch.next().await {
    ///     for event in response?.events {
    ///         println!("{:?} {:?}", event.event_type, event.kv.key_str());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Watcher")]
    #[doc(alias = "NewWatcher")]
    #[doc(alias = "subscribe")]
    pub fn watch(&self, key: impl Into<Key>) -> Watch<Bound<'_, dyn WatchService>> {
        Watch::new(key).bind(self.watch_service())
    }

    /// Returns the lease operations: grant, revoke, keep alive.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
    /// client.put("alive", "yes").lease(lease.id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewLease")]
    #[doc(alias = "lease_client")]
    pub fn lease(&self) -> LeaseClient<'_> {
        LeaseClient::new(self.lease_service())
    }

    /// Returns a builder for a self-healing lease: after a loss another lease is granted, and its keys are put again.
    ///
    /// Use it for registrations. The holder of a lock must stop when its lease is lost, and must not use this.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client.healing_lease(Duration::from_secs(10)).attach("services/web/1", "10.0.0.7:80").await?;
    /// println!("registered with lease {}", lease.id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn healing_lease(&self, ttl: Duration) -> HealingLeaseBuilder {
        let (lease, kv): (Arc<dyn LeaseService>, Arc<dyn KvService>) = match self.namespaced() {
            Some(services) => (Arc::new(services.lease.clone()), Arc::new(services.kv.clone())),
            None => (Arc::new(self.shared.lease.clone()), Arc::new(self.shared.kv.clone())),
        };
        HealingLeaseBuilder::new(lease, kv, ttl)
    }

    /// Returns the auth operations: enabling auth, users, roles and permissions.
    ///
    /// To authenticate this client, use [`ClientBuilder::password`] or [`ClientBuilder::token`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// println!("auth enabled: {}", client.auth().status().await?.enabled);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewAuth")]
    #[doc(alias = "auth_client")]
    pub fn auth(&self) -> AuthClient<'_> {
        AuthClient::new(&self.shared.auth)
    }

    /// Returns the membership operations: list, add, update, promote and remove members.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// for member in client.cluster().member_list().await?.members {
    ///     println!("{} {}", member.id, member.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewCluster")]
    #[doc(alias = "cluster_client")]
    pub fn cluster(&self) -> ClusterClient<'_> {
        ClusterClient::new(&self.shared.cluster)
    }

    /// Returns the maintenance operations: alarms, status, checksums, defragmentation, leadership and downgrades.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let status = client.maintenance().status("http://10.0.0.1:2379").await?;
    /// println!("etcd {}, {} bytes", status.version, status.db_size);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewMaintenance")]
    #[doc(alias = "maintenance_client")]
    pub fn maintenance(&self) -> MaintenanceClient<'_> {
        MaintenanceClient::new(&self.shared.maintenance)
    }

    /// Returns the operations of etcd's own lock service.
    ///
    /// The crate `etcd-concurrency` has locks that survive the loss of members.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(60)).keep_alive().await?;
    /// let lock = client.server_lock().lock("jobs/nightly", lease.id()).await?;
    /// client.server_lock().unlock(lock.key).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "lock_client")]
    #[doc(alias = "mutex")]
    pub fn server_lock(&self) -> LockClient<'_> {
        LockClient::new(self.lock_service())
    }

    /// Returns the operations of etcd's own election service.
    ///
    /// The crate `etcd-concurrency` has elections that survive the loss of members.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let leader = client.server_election().leader("boss").await?;
    /// println!("{:?} leads", leader.kv.value_str());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "election_client")]
    #[doc(alias = "leader_election")]
    pub fn server_election(&self) -> ElectionClient<'_> {
        ElectionClient::new(self.election_service())
    }

    /// Returns a snapshot of the database of one member, to be saved to a file, written to a writer or read as a stream.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let saved = client.snapshot().save_to("backup.db").await?;
    /// println!("{} bytes, SHA-256 {}", saved.bytes, saved.sha256);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "SnapshotWithVersion")]
    #[doc(alias = "backup")]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.channel())
    }

    /// Returns the KV service, for code that accepts any [`KvService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Error, Get};
    /// use etcd_client_core::kv::KvService;
    ///
    /// async fn limit(kv: &dyn KvService) -> Result<u64, Error> {
    ///     Ok(Get::new("config/").prefix().count_only().bind(kv).await?.count)
    /// }
    ///
    /// println!("{} keys", limit(client.kv()).await?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewKV")]
    #[doc(alias = "kv_client")]
    pub fn kv(&self) -> &dyn KvService {
        self.namespaced().map_or(&self.shared.kv, Namespaced::kv)
    }

    /// Returns the lease service, for code that accepts any [`LeaseService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::lease::LeaseList;
    ///
    /// println!("{:?}", LeaseList::new().bind(client.lease_service()).await?.leases);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease_service(&self) -> &dyn LeaseService {
        self.namespaced().map_or(&self.shared.lease, Namespaced::lease)
    }

    /// Returns the watch service, for code that accepts any [`WatchService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Watch;
    ///
    /// let watch = Watch::new("config/").prefix().bind(client.watch_service()).await?;
    /// # drop(watch);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "watch_client")]
    pub fn watch_service(&self) -> &dyn WatchService {
        self.namespaced().map_or(&self.shared.watch, Namespaced::watch)
    }

    /// Returns the lock service, for code that accepts any [`LockService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::lock::ServerUnlock;
    ///
    /// ServerUnlock::new("jobs/nightly/7d").bind(client.lock_service()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lock_service(&self) -> &dyn LockService {
        self.namespaced().map_or(&self.shared.lock, Namespaced::lock)
    }

    /// Returns the election service, for code that accepts any [`ElectionService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::election::ElectionLeader;
    ///
    /// let leader = ElectionLeader::new("boss").bind(client.election_service()).await?;
    /// println!("{:?} leads", leader.kv.value_str());
    /// # Ok(())
    /// # }
    /// ```
    pub fn election_service(&self) -> &dyn ElectionService {
        self.namespaced().map_or(&self.shared.election, Namespaced::election)
    }

    /// Returns the auth service, for code that accepts any [`AuthService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::auth::UserList;
    ///
    /// println!("{:?}", UserList::new().bind(client.auth_service()).await?.users);
    /// # Ok(())
    /// # }
    /// ```
    pub fn auth_service(&self) -> &dyn AuthService {
        &self.shared.auth
    }

    /// Returns the cluster service, for code that accepts any [`ClusterService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::cluster::MemberList;
    ///
    /// println!("{} members", MemberList::new().bind(client.cluster_service()).await?.members.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn cluster_service(&self) -> &dyn ClusterService {
        &self.shared.cluster
    }

    /// Returns the maintenance service, for code that accepts any [`MaintenanceService`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::maintenance::AlarmList;
    ///
    /// println!("{} alarms", AlarmList::new().bind(client.maintenance_service()).await?.alarms.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn maintenance_service(&self) -> &dyn MaintenanceService {
        &self.shared.maintenance
    }

    /// Returns the connections of this client as a tower service, for client stubs generated by tonic.
    ///
    /// See the [`tonic`](crate::transport::stub) module for how calls of a stub are retried, authenticated and balanced.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// // Any tower layer can wrap the channel; `with_service` gives it back to a client.
    /// let channel = client.channel();
    /// let client = client.with_service(channel);
    /// # }
    /// ```
    #[doc(alias = "ActiveConnection")]
    pub fn channel(&self) -> Channel {
        self.shared.channel.clone()
    }

    /// Waits until a member can be called, at most for the timeout of the client.
    ///
    /// The limit is 5 s for a client without a timeout.
    ///
    /// # Errors
    ///
    /// Those of [`wait_ready`](Self::wait_ready).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DialTimeout")]
    #[doc(alias = "with_connect_timeout")]
    pub async fn ready(&self) -> Result<(), Error> {
        let limit = self.shared.channel.timeout(&CallOptions::default()).unwrap_or(DEFAULT_TIMEOUT);
        self.wait_ready(limit).await
    }

    /// Waits until a member can be called, at most for `limit`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](etcd_errors::ErrorKind::Unavailable) if no endpoint became ready. [`attempts`](Error::attempts) and
    /// [`report`](Error::report) give the reason for each endpoint. [`Unsupported`](etcd_errors::ErrorKind::Unsupported) if a member is
    /// older than [`min_server_version`](ClientBuilder::min_server_version); the error names the member and its version.
    /// [`Closed`](etcd_errors::ErrorKind::Closed) and [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) as for every call.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// if let Err(error) = client.wait_ready(Duration::from_secs(1)).await {
    ///     eprintln!("{}", error.report());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_ready(&self, limit: Duration) -> Result<(), Error> {
        check_runtime().map_err(|error| error.with_operation("ready"))?;
        let ready = self.shared.channel.ready_once(limit, self.become_ready()).await;
        ready.map_err(|error| error.with_operation("ready"))
    }

    /// Returns a stream of endpoint states, starting with the current one: the phase of each endpoint, since when, and why.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) {
    /// let mut states = client.endpoint_states();
    /// while let Some(endpoints) = states.next().await {
    ///     for state in endpoints {
    ///         println!("{}: {:?} {:?}", state.endpoint, state.phase, state.reason);
    ///     }
    /// }
    /// # }
    /// ```
    pub fn endpoint_states(&self) -> EndpointStates {
        let pool = self.shared.channel.pool();
        EndpointStates::new(pool.states(), pool.shutdown_token().clone())
    }

    /// Reloads the TLS files now, instead of before the next handshake. Open connections are kept.
    ///
    /// Does nothing without TLS, or if the certificates were passed as bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) if a file cannot be read or a key does not match its certificate. The error
    /// names the file, and the previous certificates stay in use. [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) as for every call.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// // After a tool has rotated the certificates on disk:
    /// client.reload_tls().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reload_tls(&self) -> Result<(), Error> {
        let reloaded = match check_runtime() {
            Ok(()) => self.shared.channel.origins().reload().await,
            Err(error) => Err(error),
        };
        reloaded.map_err(|error| error.with_operation("reload_tls"))
    }

    async fn become_ready(&self) -> Result<(), Error> {
        self.shared.channel.pool().ready().await?;
        match &self.shared.upkeep.least_version {
            Some(least) => least.check(&self.shared.channel, self.endpoints()).await,
            None => Ok(()),
        }
    }

    /// Closes all connections of this client and its clones, and waits until their tasks have ended.
    ///
    /// Calls in flight fail with [`Closed`](etcd_errors::ErrorKind::Closed), with an unknown outcome if they are writes. Later calls fail as
    /// well. Closing a client twice has no effect.
    ///
    /// The tasks run on the runtime that the client was built on. If that runtime is not driven, this future does not complete.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. The connections are closed even if the future is dropped.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) {
    /// client.close().await;
    /// # }
    /// ```
    #[doc(alias = "Close")]
    pub async fn close(&self) {
        self.shared.channel.pool().close();
        self.shared.channel.pool().closed().await;
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
