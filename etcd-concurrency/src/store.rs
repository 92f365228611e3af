//! The services that recipes run on.

use std::sync::Arc;

use etcd_client_core::{Client, kv::KvService, lease::LeaseService, watch::WatchService};

/// The services that recipes run on: those of a [`Client`], or any others, such as wrappers and mocks.
///
/// Recipes accept `&Client` and `&Store` wherever they take `impl Into<Store>`.
///
/// A store keeps its client alive, and so does each recipe on it: dropping the last [`Client`] handle does not end them.
/// [`Client::close`] does.
///
/// # Examples
///
/// ```no_run
/// # fn example(client: etcd_client_core::Client) {
/// use etcd_concurrency::{Queue, Store};
///
/// let store = Store::from(&client);
/// let queue = Queue::new(&store, "mails");
/// # drop(queue);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    services: Services,
    leases: Option<Arc<dyn LeaseService>>,
}

#[derive(Clone, Debug)]
enum Services {
    Client(Client),
    Any { kv: Arc<dyn KvService>, watch: Arc<dyn WatchService> },
}

impl Store {
    /// Creates a store from two services of the same cluster.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// use std::sync::Arc;
    /// use etcd_concurrency::Store;
    ///
    /// // A client implements all service traits, and so do wrappers and mocks.
    /// let client = Arc::new(client);
    /// let store = Store::new(client.clone(), client.clone()).with_leases(client);
    /// # drop(store);
    /// # }
    /// ```
    pub fn new(kv: Arc<dyn KvService>, watch: Arc<dyn WatchService>) -> Self {
        Self { services: Services::Any { kv, watch }, leases: None }
    }

    /// Sets the lease service. The default is the client's, or none in a store of other services.
    ///
    /// Sessions use it to create or renew their lease and for
    /// [`Tokens::lease_per_entry`](crate::session::Tokens::lease_per_entry).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// use std::sync::Arc;
    /// use etcd_concurrency::Store;
    ///
    /// let client = Arc::new(client);
    /// let store = Store::new(client.clone(), client.clone()).with_leases(client);
    /// # drop(store);
    /// # }
    /// ```
    #[must_use = "returns the changed store"]
    pub fn with_leases(mut self, leases: Arc<dyn LeaseService>) -> Self {
        self.leases = Some(leases);
        self
    }

    pub(crate) fn leases(&self) -> Option<&dyn LeaseService> {
        match (&self.leases, &self.services) {
            (Some(leases), _) => Some(&**leases),
            (None, Services::Client(client)) => Some(client.lease_service()),
            (None, Services::Any { .. }) => None,
        }
    }

    /// Returns the KV service.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(store: etcd_concurrency::Store) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_client_core::Get;
    ///
    /// let found = Get::new("limit").bind(store.kv()).await?;
    /// println!("{:?}", found.first());
    /// # Ok(())
    /// # }
    /// ```
    pub fn kv(&self) -> &dyn KvService {
        match &self.services {
            Services::Client(client) => client.kv(),
            Services::Any { kv, .. } => &**kv,
        }
    }

    /// Returns the watch service.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(store: etcd_concurrency::Store) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_client_core::Watch;
    ///
    /// let watch = Watch::new("limit").bind(store.watch_service()).await?;
    /// # drop(watch);
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_service(&self) -> &dyn WatchService {
        match &self.services {
            Services::Client(client) => client.watch_service(),
            Services::Any { watch, .. } => &**watch,
        }
    }
}

impl From<&Client> for Store {
    fn from(client: &Client) -> Self {
        Self { services: Services::Client(client.clone()), leases: None }
    }
}

impl From<Client> for Store {
    fn from(client: Client) -> Self {
        Self { services: Services::Client(client), leases: None }
    }
}

impl From<&Self> for Store {
    fn from(store: &Self) -> Self {
        store.clone()
    }
}
