//! The client itself.

use std::{fmt, sync::Arc, time::Duration};

use etcd_errors::Error;

use super::{
    auth_admin::AuthAdmin, builder::ClientBuilder, cluster::ClusterHandle, healing::HealingLeaseBuilder,
    leases::Leases, maintenance::MaintenanceHandle, namespaced::Namespaced,
    server_elections::ServerElections, server_locks::ServerLocks, snapshot::Snapshot, upkeep::Upkeep,
};
use crate::{
    decorator::Namespace,
    model::{Key, Revision, Value},
    op::{Bound, Compact, Delete, Get, Op, OpResponse, Put, Txn, WatchBound, WatchCreate},
    remote::{
        RemoteAuth, RemoteCluster, RemoteElection, RemoteKv, RemoteLease, RemoteLock, RemoteMaintenance,
        RemoteWatch,
    },
    service::{
        self, Auth, CallOptions, Cluster, ElectionService, Kv, Lease, LockService, Maintenance, Watch,
    },
    transport::{
        caller::Caller,
        channel::{Channel, check_runtime},
        method::DEFAULT_TIMEOUT,
        state::EndpointStates,
    },
};

/// A client of one etcd cluster.
///
/// Cheap to clone: clones share connections. Every method takes `&self`; operations are awaited directly:
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
/// The client implements each of the service traits: [`Kv`], [`Lease`], [`Watch`], [`Auth`], [`Cluster`], [`Maintenance`],
/// [`LockService`] and [`ElectionService`]. So do references, [`Arc`]s and [`Box`]es of a service. Code that takes any service can
/// hold a client behind a trait object:
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::sync::Arc;
/// use etcd_client_core::{Get, Kv};
///
/// let kv: Arc<dyn Kv> = Arc::new(client);
/// let found = Get::new("greeting").bind(&kv).await?;
/// # Ok(())
/// # }
/// ```
///
/// # What keeps a client alive
///
/// The connections and the member sync end with [`close`](Self::close), or when the last clone and the last handle are dropped.
/// Each handle that does work keeps the client alive: [`KeptLease`](crate::KeptLease), [`HealingLease`](crate::HealingLease),
/// [`WatchHandle`](crate::WatchHandle), [`WatchEvents`](crate::WatchEvents), [`Cache`](crate::Cache), the handles of `naming`, and the
/// sessions and guards of `etcd-concurrency`. What only observes does not: [`EndpointStates`] ends with the
/// client. A [`SnapshotStream`](crate::SnapshotStream) keeps its connection. Responses of generated stubs keep nothing.
///
/// # Cancel safety
///
/// An operation's future can be dropped at any time without leaking anything. A write that was dropped in flight may or may not
/// have been applied.
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
    /// What stands before the services that name keys.
    namespaced: Option<Namespaced>,
}

impl Client {
    /// Settings for a client of the members at `endpoints`; see [`Endpoint`](crate::Endpoint) for what can be written.
    pub fn builder<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> ClientBuilder {
        ClientBuilder::new(endpoints)
    }

    /// A client whose KV, lease and auth services call on `caller`; what concerns single members needs its channel.
    pub(super) fn calling(caller: Caller, upkeep: Arc<Upkeep>) -> Self {
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

    /// This client with `prefix` before its keys, whatever stood before them.
    pub(super) fn under(&self, prefix: &Key) -> Self {
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

    pub(super) fn namespaced(&self) -> Option<&Namespaced> {
        self.shared.namespaced.as_ref()
    }

    pub(super) fn upkeep(&self) -> &Arc<Upkeep> {
        &self.shared.upkeep
    }

    /// Reads one key, or with [`prefix`](Get::prefix), [`range_end`](Get::range_end), [`from_key`](Get::from_key) or
    /// [`all_keys`](Get::all_keys) many. Linearizable unless [`serializable`](Get::serializable) is set.
    pub fn get(&self, key: impl Into<Key>) -> Get<Bound<'_>> {
        Get::new(key).bind(self.kv())
    }

    /// Writes one key.
    pub fn put(&self, key: impl Into<Key>, value: impl Into<Value>) -> Put<Bound<'_>> {
        Put::new(key, value).bind(self.kv())
    }

    /// Deletes one key, or with a range setter many.
    pub fn delete(&self, key: impl Into<Key>) -> Delete<Bound<'_>> {
        Delete::new(key).bind(self.kv())
    }

    /// Compares keys, then does one of two lists of operations, all at one revision.
    pub fn txn(&self) -> Txn<Bound<'_>> {
        Txn::new().bind(self.kv())
    }

    /// Drops the history before `revision`.
    pub fn compact(&self, revision: impl Into<Revision>) -> Compact<Bound<'_>> {
        Compact::new(revision).bind(self.kv())
    }

    /// Does an operation that is decided at run time, with the client's own options.
    ///
    /// [`execute`](service::execute) takes the options of the call as well.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub async fn execute(&self, op: impl Into<Op>) -> Result<OpResponse, Error> {
        service::execute(self.kv(), op, CallOptions::default()).await
    }

    /// Watches one key, or with [`prefix`](WatchCreate::prefix), [`range_end`](WatchCreate::range_end),
    /// [`from_key`](WatchCreate::from_key) or [`all_keys`](WatchCreate::all_keys) many, from now on or from an earlier revision.
    pub fn watch(&self, key: impl Into<Key>) -> WatchCreate<WatchBound<'_>> {
        WatchCreate::new(key).bind(self.watch_service())
    }

    /// The operations on leases.
    pub fn lease(&self) -> Leases<'_> {
        Leases::new(self.lease_service())
    }

    /// A lease of `ttl` that heals itself: lost, it is granted anew, and its keys are put again.
    pub fn healing_lease(&self, ttl: Duration) -> HealingLeaseBuilder {
        let (lease, kv): (Arc<dyn Lease>, Arc<dyn Kv>) = match self.namespaced() {
            Some(services) => (Arc::new(services.lease.clone()), Arc::new(services.kv.clone())),
            None => (Arc::new(self.shared.lease.clone()), Arc::new(self.shared.kv.clone())),
        };
        HealingLeaseBuilder::new(lease, kv, ttl)
    }

    /// The administration of auth: its switch, users, roles and permissions.
    pub fn auth(&self) -> AuthAdmin<'_> {
        AuthAdmin::new(&self.shared.auth)
    }

    /// The operations on the cluster's members.
    pub fn cluster(&self) -> ClusterHandle<'_> {
        ClusterHandle::new(&self.shared.cluster)
    }

    /// The operations that keep the cluster in order: alarms, status, checksums, defragmentation, leadership, downgrades.
    pub fn maintenance(&self) -> MaintenanceHandle<'_> {
        MaintenanceHandle::new(&self.shared.maintenance)
    }

    /// Locks that a member waits for: the lock service that every member has.
    pub fn server_lock(&self) -> ServerLocks<'_> {
        ServerLocks::new(self.lock_service())
    }

    /// Elections that a member waits for: the election service that every member has.
    pub fn server_election(&self) -> ServerElections<'_> {
        ServerElections::new(self.election_service())
    }

    /// The whole database of one member, as a file, into a writer or as a stream of bytes.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.channel())
    }

    /// The KV service, for code that takes any [`Kv`].
    pub fn kv(&self) -> &dyn Kv {
        self.namespaced().map_or(&self.shared.kv, Namespaced::kv)
    }

    /// The Lease service, for code that takes any [`Lease`].
    pub fn lease_service(&self) -> &dyn Lease {
        self.namespaced().map_or(&self.shared.lease, Namespaced::lease)
    }

    /// The Watch service, for code that takes any [`Watch`].
    pub fn watch_service(&self) -> &dyn Watch {
        self.namespaced().map_or(&self.shared.watch, Namespaced::watch)
    }

    /// The Lock service, for code that takes any [`LockService`].
    pub fn lock_service(&self) -> &dyn LockService {
        self.namespaced().map_or(&self.shared.lock, Namespaced::lock)
    }

    /// The Election service, for code that takes any [`ElectionService`].
    pub fn election_service(&self) -> &dyn ElectionService {
        self.namespaced().map_or(&self.shared.election, Namespaced::election)
    }

    /// The Auth service, for code that takes any [`Auth`].
    pub fn auth_service(&self) -> &dyn Auth {
        &self.shared.auth
    }

    /// The Cluster service, for code that takes any [`Cluster`].
    pub fn cluster_service(&self) -> &dyn Cluster {
        &self.shared.cluster
    }

    /// The Maintenance service, for code that takes any [`Maintenance`].
    pub fn maintenance_service(&self) -> &dyn Maintenance {
        &self.shared.maintenance
    }

    /// The connections, for client stubs generated by tonic: see [`tonic`](crate::tonic).
    pub fn channel(&self) -> Channel {
        self.shared.channel.clone()
    }

    /// Waits until a member can be called, at most the client's timeout (5 s by default, and where there is none).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`ready_within`](Self::ready_within).
    pub async fn ready(&self) -> Result<(), Error> {
        let limit = self.shared.channel.timeout(&CallOptions::default()).unwrap_or(DEFAULT_TIMEOUT);
        self.ready_within(limit).await
    }

    /// Waits until a member can be called, at most `limit`.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](etcd_errors::ErrorKind::Unavailable) when no endpoint became ready; [`attempts`](Error::attempts) and
    /// [`report`](Error::report) say how each one failed. [`Unsupported`](etcd_errors::ErrorKind::Unsupported) when a member is older than
    /// [`min_server_version`](ClientBuilder::min_server_version); the error names it and its version. [`Closed`](etcd_errors::ErrorKind::Closed) and
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) as for every call.
    pub async fn ready_within(&self, limit: Duration) -> Result<(), Error> {
        check_runtime().map_err(|error| error.with_operation("ready"))?;
        let ready = self.shared.channel.ready_once(limit, self.become_ready()).await;
        ready.map_err(|error| error.with_operation("ready"))
    }

    /// How each endpoint stands, since when and why: the present state first, then again after each change.
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

    /// Reads the files of TLS again, now rather than before the next handshake. Connections that stand are not closed.
    ///
    /// Does nothing where there is no TLS or its certificates were given as bytes. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) when a file cannot be read or a key does not belong to its certificate,
    /// with the file's name: what was good last stays in use. [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) as for every call.
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

    /// Closes every connection of this client and its clones, and waits until their tasks have ended.
    ///
    /// Calls in flight end with [`Closed`](etcd_errors::ErrorKind::Closed), with an unknown outcome where they were writes; so do later calls.
    /// Calling it again does nothing. Cancel safe: the connections close all the same.
    ///
    /// The tasks run on the runtime that the client was built on: where nothing drives that one, this waits for it.
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
