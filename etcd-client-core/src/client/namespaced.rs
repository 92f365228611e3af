//! The client whose keys live under a prefix.

use super::handle::Client;
use crate::{
    decorator::Namespace,
    model::Key,
    remote::{RemoteKv, RemoteLease, RemoteWatch},
    service::{Kv, Lease, Watch},
};

/// The services of a client that name keys, under a prefix.
#[derive(Clone, Debug)]
pub(super) struct Namespaced {
    kv: Namespace<RemoteKv>,
    lease: Namespace<RemoteLease>,
    watch: Namespace<RemoteWatch>,
}

impl Namespaced {
    pub(super) fn new(kv: RemoteKv, lease: RemoteLease, watch: RemoteWatch, prefix: &Key) -> Self {
        Self {
            kv: Namespace::new(kv, prefix),
            lease: Namespace::new(lease, prefix),
            watch: Namespace::new(watch, prefix),
        }
    }

    pub(super) fn kv(&self) -> &dyn Kv {
        &self.kv
    }

    pub(super) fn lease(&self) -> &dyn Lease {
        &self.lease
    }

    pub(super) fn watch(&self) -> &dyn Watch {
        &self.watch
    }
}

impl Client {
    /// This client with its keys under `prefix`, within the namespace that it may have already: gets, puts, deletes, Txns, watches
    /// and the keys of leases, as [`Namespace`] says. An empty prefix changes nothing.
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
