//! Where the keys of a recipe are: a client, or any services that stand for one.

use std::sync::Arc;

use etcd_client_core::{Client, Kv, Lease, Watch};

/// The services that recipes work on: those of a [`Client`], or any others, such as decorators and mocks.
///
/// It keeps its client alive, and so does each recipe on it: dropping the last [`Client`] ends none of them.
/// [`Client::close`] does.
///
/// ```no_run
/// # fn example(client: etcd_client_core::Client) {
/// use etcd_concurrency::Store;
///
/// let store: Store = (&client).into();
/// # let _ = store;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    services: Services,
    leases: Option<Arc<dyn Lease>>,
}

#[derive(Clone, Debug)]
enum Services {
    Client(Client),
    Any { kv: Arc<dyn Kv>, watch: Arc<dyn Watch> },
}

impl Store {
    /// A store of any two services, which must be those of one cluster.
    pub fn new(kv: Arc<dyn Kv>, watch: Arc<dyn Watch>) -> Self {
        Self { services: Services::Any { kv, watch }, leases: None }
    }

    /// Sets the Lease service. Default: that of the client, and none in a store of other services.
    ///
    /// Only sessions with [`Tokens::lease_per_entry`](crate::Tokens::lease_per_entry) use it.
    #[must_use = "returns the changed store"]
    pub fn with_leases(mut self, leases: Arc<dyn Lease>) -> Self {
        self.leases = Some(leases);
        self
    }

    pub(crate) fn leases(&self) -> Option<&dyn Lease> {
        match (&self.leases, &self.services) {
            (Some(leases), _) => Some(&**leases),
            (None, Services::Client(client)) => Some(client.lease_service()),
            (None, Services::Any { .. }) => None,
        }
    }

    /// The KV service.
    pub fn kv(&self) -> &dyn Kv {
        match &self.services {
            Services::Client(client) => client.kv(),
            Services::Any { kv, .. } => &**kv,
        }
    }

    /// The Watch service.
    pub fn watch_service(&self) -> &dyn Watch {
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
