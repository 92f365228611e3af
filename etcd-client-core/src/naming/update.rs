//! A change to apply to the endpoints of a service.

use etcd_errors::Error;

use crate::{
    kv::{Delete, Put},
    naming::endpoint::ServiceEndpoint,
    txn::Op,
    types::{Key, LeaseId},
};

/// A change to apply to the endpoints of a service. [`Endpoints::update`](crate::naming::endpoints::Endpoints::update) applies several atomically.
///
/// # Examples
///
/// ```
/// use etcd_client_core::naming::{EndpointUpdate, ServiceEndpoint};
///
/// let moved = [
///     EndpointUpdate::add("services/web/8", ServiceEndpoint::new("10.0.0.8:8080")),
///     EndpointUpdate::delete("services/web/7"),
/// ];
/// # let _ = moved;
/// ```
#[doc(alias = "UpdateWithOpts")]
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an update does nothing until it is passed to `Endpoints::update`"]
pub struct EndpointUpdate {
    key: Key,
    change: Change,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    Add { endpoint: ServiceEndpoint, lease: Option<LeaseId> },
    Delete,
}

impl EndpointUpdate {
    /// Registers `endpoint` under `key`, which must start with the target and a slash. Replaces an existing endpoint.
    pub fn add(key: impl Into<Key>, endpoint: ServiceEndpoint) -> Self {
        Self { key: key.into(), change: Change::Add { endpoint, lease: None } }
    }

    /// Deletes the endpoint under `key`. Deleting a missing endpoint is not an error.
    pub fn delete(key: impl Into<Key>) -> Self {
        Self { key: key.into(), change: Change::Delete }
    }

    /// Attaches the registration to a lease. Default: it stays until it is deleted. Has no effect on a deletion.
    pub fn lease(mut self, id: LeaseId) -> Self {
        if let Change::Add { lease, .. } = &mut self.change {
            *lease = Some(id);
        }
        self
    }

    /// Returns the operation. Fails if the key does not start with `directory`: the target and a slash.
    pub(crate) fn into_op(self, directory: &Key) -> Result<Op, Error> {
        if !self.key.as_bytes().starts_with(directory.as_bytes()) {
            let complaint = format!("key {:?} must start with {directory:?}", self.key);
            return Err(Error::invalid_request("key", complaint));
        }
        Ok(match self.change {
            Change::Add { endpoint, lease } => {
                let put = Put::new(self.key, endpoint.to_json());
                lease.into_iter().fold(put, Put::lease).into()
            }
            Change::Delete => Delete::new(self.key).into(),
        })
    }
}
