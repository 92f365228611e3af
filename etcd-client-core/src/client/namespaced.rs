//! Clients with a namespace: their keys are stored under a prefix.

use crate::{
    client::Client,
    election::{ElectionService, remote::RemoteElection},
    kv::{KvService, remote::RemoteKv},
    lease::{LeaseService, remote::RemoteLease},
    lock::{LockService, remote::RemoteLock},
    namespace::Namespace,
    types::Key,
    watch::{WatchService, remote::RemoteWatch},
};

/// The services of a client that contain keys, decorated with a namespace.
#[derive(Clone, Debug)]
pub(crate) struct Namespaced {
    pub(crate) kv: Namespace<RemoteKv>,
    pub(crate) lease: Namespace<RemoteLease>,
    pub(crate) watch: Namespace<RemoteWatch>,
    pub(crate) lock: Namespace<RemoteLock>,
    pub(crate) election: Namespace<RemoteElection>,
}

impl Namespaced {
    pub(crate) fn kv(&self) -> &dyn KvService {
        &self.kv
    }

    pub(crate) fn lease(&self) -> &dyn LeaseService {
        &self.lease
    }

    pub(crate) fn watch(&self) -> &dyn WatchService {
        &self.watch
    }

    pub(crate) fn lock(&self) -> &dyn LockService {
        &self.lock
    }

    pub(crate) fn election(&self) -> &dyn ElectionService {
        &self.election
    }
}

impl Client {
    /// Returns a client whose keys are stored under `prefix`, within the namespace that this client already has.
    ///
    /// The namespace covers gets, puts, deletes, transactions, watches, the keys of leases, and the names of the server's locks and
    /// elections, as described at [`Namespace`]. An empty prefix changes nothing. Both clients share their connections, and closing
    /// either closes both.
    ///
    /// Some APIs contain keys and still see the whole store: stubs on the [`channel`](Self::channel), the permissions of
    /// [`auth`](Self::auth), and a [`snapshot`](Self::snapshot).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let prod = client.with_namespace("prod/");
    /// prod.put("limit", "10").await?;
    /// assert_eq!(client.get("prod/limit").await?.kvs[0].value, "10");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "KvClientPrefix")]
    #[doc(alias = "NewKV")]
    #[doc(alias = "NewWatcher")]
    #[must_use = "returns a new client"]
    pub fn with_namespace(&self, prefix: impl Into<Key>) -> Self {
        let outer = self.namespace().map_or(&b""[..], Key::as_bytes);
        self.under(&[outer, prefix.into().as_bytes()].concat().into())
    }

    /// Returns the prefix of this client's keys, or `None` without a namespace.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let prod = client.with_namespace("prod/");
    /// assert_eq!(prod.namespace().unwrap(), "prod/");
    /// # Ok(())
    /// # }
    /// ```
    pub fn namespace(&self) -> Option<&Key> {
        self.namespaced().map(|services| services.kv.prefix())
    }
}
