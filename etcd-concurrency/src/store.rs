//! Where the keys of a recipe are: a client, or any services that stand for one.

use std::sync::Arc;

use etcd_client_core::{Client, Kv, Watch};

/// The services that recipes work on: those of a [`Client`], or any others, such as decorators and mocks.
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
pub struct Store(Services);

#[derive(Clone, Debug)]
enum Services {
    Client(Client),
    Any { kv: Arc<dyn Kv>, watch: Arc<dyn Watch> },
}

impl Store {
    /// A store of any two services, which must be those of one cluster.
    pub fn new(kv: Arc<dyn Kv>, watch: Arc<dyn Watch>) -> Self {
        Self(Services::Any { kv, watch })
    }

    /// The KV service.
    pub fn kv(&self) -> &dyn Kv {
        match &self.0 {
            Services::Client(client) => client.kv(),
            Services::Any { kv, .. } => &**kv,
        }
    }

    /// The Watch service.
    pub fn watch_service(&self) -> &dyn Watch {
        match &self.0 {
            Services::Client(client) => client.watch_service(),
            Services::Any { watch, .. } => &**watch,
        }
    }
}

impl From<&Client> for Store {
    fn from(client: &Client) -> Self {
        Self(Services::Client(client.clone()))
    }
}

impl From<Client> for Store {
    fn from(client: Client) -> Self {
        Self(Services::Client(client))
    }
}

impl From<&Self> for Store {
    fn from(store: &Self) -> Self {
        store.clone()
    }
}
