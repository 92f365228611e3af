//! The client whose keys live under a prefix.

use super::handle::Client;
use crate::{
    decorator::Namespace,
    model::Key,
    remote::{RemoteElection, RemoteKv, RemoteLease, RemoteLock, RemoteWatch},
    service::{ElectionService, Kv, Lease, LockService, Watch},
};

/// The services of a client that name keys, under a prefix.
#[derive(Clone, Debug)]
pub(super) struct Namespaced {
    pub(super) kv: Namespace<RemoteKv>,
    pub(super) lease: Namespace<RemoteLease>,
    pub(super) watch: Namespace<RemoteWatch>,
    pub(super) lock: Namespace<RemoteLock>,
    pub(super) election: Namespace<RemoteElection>,
}

impl Namespaced {
    pub(super) fn kv(&self) -> &dyn Kv {
        &self.kv
    }

    pub(super) fn lease(&self) -> &dyn Lease {
        &self.lease
    }

    pub(super) fn watch(&self) -> &dyn Watch {
        &self.watch
    }

    pub(super) fn lock(&self) -> &dyn LockService {
        &self.lock
    }

    pub(super) fn election(&self) -> &dyn ElectionService {
        &self.election
    }
}

impl Client {
    /// This client with its keys under `prefix`, within the namespace that it may have already: gets, puts, deletes, Txns, watches,
    /// the keys of leases, and the names of the server's locks and elections, as [`Namespace`] says. An empty prefix changes nothing.
    ///
    /// Both share connections, and closing either closes both. What is not about keys is the same. Some of the rest names keys all
    /// the same, and sees the whole store: stubs on its [`channel`](Self::channel), the permissions of
    /// [`auth`](Self::auth), and a [`snapshot`](Self::snapshot).
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let prod = client.with_namespace("prod/");
    /// prod.put("limit", "10").await?;
    /// assert_eq!(client.get("prod/limit").await?.kvs[0].value, "10");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "returns the other client"]
    pub fn with_namespace(&self, prefix: impl Into<Key>) -> Self {
        let outer = self.namespace().map_or(&b""[..], Key::as_bytes);
        self.under(&[outer, prefix.into().as_bytes()].concat().into())
    }

    /// What the keys of this client are put under: [`ClientBuilder::namespace`](crate::ClientBuilder::namespace). `None` where the
    /// keys are the store's own.
    pub fn namespace(&self) -> Option<&Key> {
        self.namespaced().map(|services| services.kv.prefix())
    }
}
