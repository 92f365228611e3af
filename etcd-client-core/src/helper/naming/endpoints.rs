//! The endpoints of one service.

use std::{collections::BTreeMap, sync::Arc};

use etcd_errors::Error;

use super::{
    EndpointUpdate, EndpointWatch, ServiceEndpoint,
    change::{Known, read},
};
use crate::{
    client::Client,
    helper::source::{Services, Source},
    model::{Key, LeaseId, Revision},
    op::{Get, Op, Txn},
    service::{Kv, Watch},
};

/// The endpoints of one service, its target: keys that start with the target and a slash, with the JSON of Go's
/// `naming/endpoints` as values, so that both see the same.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Endpoints {
    source: Arc<dyn Source>,
    /// The target with its slash.
    directory: Key,
}

impl Endpoints {
    /// The endpoints of the service `target`.
    ///
    /// # Errors
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) when the target is empty.
    pub fn new(client: &Client, target: impl Into<Key>) -> Result<Self, Error> {
        Self::on(Arc::new(client.clone()), &target.into())
    }

    /// The same on services of your own, both of the same store.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn over(kv: Arc<dyn Kv>, watch: Arc<dyn Watch>, target: impl Into<Key>) -> Result<Self, Error> {
        Self::on(Arc::new(Services { kv, watch }), &target.into())
    }

    fn on(source: Arc<dyn Source>, target: &Key) -> Result<Self, Error> {
        if target.is_empty() {
            return Err(Error::invalid_request("target", "target is empty"));
        }
        Ok(Self { source, directory: [target.as_bytes(), b"/"].concat().into() })
    }

    /// Registers one endpoint under `key`, which starts with the target and a slash, for as long as `lease` lives. With `None` it stays
    /// until it is deleted.
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn add(
        &self,
        key: impl Into<Key>,
        endpoint: ServiceEndpoint,
        lease: impl Into<Option<LeaseId>>,
    ) -> Result<Revision, Error> {
        let add = EndpointUpdate::add(key, endpoint);
        self.update(lease.into().into_iter().fold([add], |[add], id| [add.lease(id)])).await
    }

    /// Deletes the endpoint under `key`. Nothing there is no error.
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn delete(&self, key: impl Into<Key>) -> Result<Revision, Error> {
        self.update([EndpointUpdate::delete(key)]).await
    }

    /// Makes several changes at one revision, which it returns: all of them or none.
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Errors
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) for a key that does not start with the target and a slash, and for one that
    /// is there twice. Else those of a Txn, whose outcome says whether the changes may have been made.
    pub async fn update(&self, updates: impl IntoIterator<Item = EndpointUpdate>) -> Result<Revision, Error> {
        let ops: Result<Vec<Op>, Error> =
            updates.into_iter().map(|update| update.into_op(&self.directory)).collect();
        let ops = ops.map_err(|error| error.with_operation("update endpoints"))?;
        Ok(Txn::new().then(ops).bind(self.source.kv()).await?.header.revision)
    }

    /// All endpoints by their keys; linearizable. A key whose value is no endpoint is left out.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// Those of a get.
    pub async fn list(&self) -> Result<BTreeMap<Key, ServiceEndpoint>, Error> {
        let get = Get::new(&self.directory).prefix().bind(self.source.kv());
        Ok(get.await?.kvs.iter().filter_map(read).collect())
    }

    /// Follows the endpoints: first all of them as one batch, which may be empty, then a batch for each revision that changes any.
    ///
    /// The first batch is linearizable. Cancel safe.
    ///
    /// # Errors
    /// Those of a get and of the creation of a watch.
    pub async fn watch(&self) -> Result<EndpointWatch, Error> {
        EndpointWatch::start(self.clone()).await
    }

    /// As [`list`](Self::list), with the revision that a watch goes on after. Linearizable: a member that lags would go back in time.
    pub(super) async fn listed(&self) -> Result<(Known, Revision), Error> {
        let get = Get::new(&self.directory).prefix().bind(self.source.kv()).await?;
        Ok((get.kvs.iter().filter_map(read).collect(), get.header.revision))
    }

    /// Which history the store is of.
    pub(super) fn history(&self) -> u64 {
        self.source.history()
    }

    pub(super) fn directory(&self) -> &Key {
        &self.directory
    }

    pub(super) fn watch_service(&self) -> &dyn Watch {
        self.source.watch()
    }
}
