//! The clients of the other services: leases, auth, cluster, maintenance, locks, elections and snapshots.

use std::{sync::Arc, time::Duration};

use crate::{
    auth::AuthClient,
    client::{Client, HealingLeaseBuilder},
    cluster::ClusterClient,
    election::ElectionClient,
    kv::KvService,
    lease::{LeaseClient, LeaseService},
    lock::LockClient,
    maintenance::MaintenanceClient,
    snapshot::Snapshot,
};

impl Client {
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
    /// To authenticate this client, use [`ClientBuilder::password`](crate::client::ClientBuilder::password) or [`ClientBuilder::token`](crate::client::ClientBuilder::token).
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
}
