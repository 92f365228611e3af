//! The endpoints of one service.

use std::{collections::BTreeMap, sync::Arc};

use etcd_errors::Error;

use crate::{
    cache::source::{Services, Source},
    client::Client,
    kv::{Get, KvService},
    naming::{
        change::{Known, read},
        endpoint::ServiceEndpoint,
        update::EndpointUpdate,
        watch::EndpointWatch,
    },
    txn::{Op, Txn},
    types::{Key, LeaseId, Revision},
    watch::WatchService,
};

/// The endpoints of one service, the target.
///
/// They are stored under keys that start with the target and a slash, with the JSON of Go's `naming/endpoints` as values. Go
/// programs see the same endpoints. An `Endpoints` is cheap to clone.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::naming::Endpoints;
///
/// let endpoints = Endpoints::new(&client, "services/web")?;
/// for (key, endpoint) in endpoints.list().await? {
///     println!("{key:?} {}", endpoint.addr());
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "Manager")]
#[doc(alias = "NewManager")]
#[derive(Clone, Debug)]
pub struct Endpoints {
    source: Arc<dyn Source>,
    /// The target with its slash.
    directory: Key,
}

impl Endpoints {
    /// Creates a handle on the endpoints of the service `target`.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) if the target is empty.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::naming::Endpoints;
    ///
    /// let endpoints = Endpoints::new(&client, "services/web")?;
    /// # drop(endpoints);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(client: &Client, target: impl Into<Key>) -> Result<Self, Error> {
        Self::on(Arc::new(client.clone()), &target.into())
    }

    /// Creates a handle on any services of the same store, such as wrappers or mocks.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use etcd_client_core::{Error, naming::Endpoints};
    /// use etcd_client_core::kv::KvService;
    /// use etcd_client_core::watch::WatchService;
    ///
    /// fn endpoints(kv: Arc<dyn KvService>, watch: Arc<dyn WatchService>) -> Result<Endpoints, Error> {
    ///     Endpoints::over(kv, watch, "services/web")
    /// }
    /// ```
    pub fn over(
        kv: Arc<dyn KvService>,
        watch: Arc<dyn WatchService>,
        target: impl Into<Key>,
    ) -> Result<Self, Error> {
        Self::on(Arc::new(Services { kv, watch }), &target.into())
    }

    fn on(source: Arc<dyn Source>, target: &Key) -> Result<Self, Error> {
        if target.is_empty() {
            return Err(Error::invalid_request("target", "target must not be empty"));
        }
        Ok(Self { source, directory: [target.as_bytes(), b"/"].concat().into() })
    }

    /// Registers one endpoint under `key`, which must start with the target and a slash. Returns the revision of the change.
    ///
    /// With a `lease` the registration is deleted when the lease expires. Without one it stays until it is deleted.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// use std::time::Duration;
    /// use etcd_client_core::naming::ServiceEndpoint;
    ///
    /// let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
    /// endpoints.add("services/web/7", ServiceEndpoint::new("10.0.0.7:8080"), lease.id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "AddEndpoint")]
    pub async fn add(
        &self,
        key: impl Into<Key>,
        endpoint: ServiceEndpoint,
        lease: impl Into<Option<LeaseId>>,
    ) -> Result<Revision, Error> {
        let add = EndpointUpdate::add(key, endpoint);
        self.update(lease.into().into_iter().fold([add], |[add], id| [add.lease(id)])).await
    }

    /// Deletes the endpoint under `key`. Deleting a missing endpoint is not an error.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// endpoints.delete("services/web/7").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DeleteEndpoint")]
    pub async fn delete(&self, key: impl Into<Key>) -> Result<Revision, Error> {
        self.update([EndpointUpdate::delete(key)]).await
    }

    /// Applies several changes atomically, at one revision, and returns that revision.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a key that does not start with the target and a slash, and for a
    /// duplicate key. Otherwise the errors of a transaction, whose outcome states whether the changes may have been applied.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// use etcd_client_core::naming::{EndpointUpdate, ServiceEndpoint};
    ///
    /// endpoints
    ///     .update([
    ///         EndpointUpdate::add("services/web/8", ServiceEndpoint::new("10.0.0.8:8080")),
    ///         EndpointUpdate::delete("services/web/7"),
    ///     ])
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Update")]
    pub async fn update(&self, updates: impl IntoIterator<Item = EndpointUpdate>) -> Result<Revision, Error> {
        let ops: Result<Vec<Op>, Error> =
            updates.into_iter().map(|update| update.into_op(&self.directory)).collect();
        let ops = ops.map_err(|error| error.with_operation("update endpoints"))?;
        Ok(Txn::new().then(ops).bind(self.source.kv()).await?.header.revision)
    }

    /// Lists all endpoints by key. The read is linearizable. Values that are not endpoints are skipped.
    ///
    /// # Errors
    ///
    /// Returns the errors of a get.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// for (key, endpoint) in endpoints.list().await? {
    ///     println!("{key:?} {}", endpoint.addr());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "List")]
    pub async fn list(&self) -> Result<BTreeMap<Key, ServiceEndpoint>, Error> {
        let get = Get::new(&self.directory).prefix().bind(self.source.kv());
        Ok(get.await?.kvs.iter().filter_map(read).collect())
    }

    /// Watches the endpoints. The first batch contains all endpoints and may be empty; then there is a batch for each revision that
    /// changes any.
    ///
    /// The first batch is linearizable.
    ///
    /// # Errors
    ///
    /// Returns the errors of a get and of the creation of a watch.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let endpoints = etcd_client_core::naming::Endpoints::new(&client, "services/web")?;
    /// let mut watch = endpoints.watch().await?;
    /// while let Some(batch) = watch.next().await {
    ///     for change in batch? {
    ///         println!("{change:?}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewWatchChannel")]
    pub async fn watch(&self) -> Result<EndpointWatch, Error> {
        EndpointWatch::start(self.clone()).await
    }

    /// Lists the endpoints, and returns the revision after which a watch must start.
    ///
    /// The read is linearizable. A lagging member could return an earlier state than the one already delivered.
    pub(crate) async fn listed(&self) -> Result<(Known, Revision), Error> {
        let get = Get::new(&self.directory).prefix().bind(self.source.kv()).await?;
        Ok((get.kvs.iter().filter_map(read).collect(), get.header.revision))
    }

    /// Returns the number of the store's history.
    pub(crate) fn history(&self) -> u64 {
        self.source.history()
    }

    pub(crate) fn directory(&self) -> &Key {
        &self.directory
    }

    pub(crate) fn watch_service(&self) -> &dyn WatchService {
        self.source.watch()
    }
}
