//! One change to make to the endpoints of a service.

use etcd_errors::Error;

use super::ServiceEndpoint;
use crate::{
    model::{Key, LeaseId},
    op::{Delete, Op, Put},
};

/// One change to make: [`Endpoints::update`](super::Endpoints::update) makes several at one revision.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an update does nothing until it is given to Endpoints::update"]
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
    /// Registers `endpoint` under `key`, which starts with the target and a slash. What was under that key is replaced.
    pub fn add(key: impl Into<Key>, endpoint: ServiceEndpoint) -> Self {
        Self { key: key.into(), change: Change::Add { endpoint, lease: None } }
    }

    /// Deletes what is registered under `key`. Nothing there is no error.
    pub fn delete(key: impl Into<Key>) -> Self {
        Self { key: key.into(), change: Change::Delete }
    }

    /// Has the registration end with a lease. Default: it stays until it is deleted. A deletion has no use for it.
    pub fn lease(mut self, id: LeaseId) -> Self {
        if let Change::Add { lease, .. } = &mut self.change {
            *lease = Some(id);
        }
        self
    }

    /// The operation, where the key is one below `directory`, the target with a slash.
    pub(super) fn into_op(self, directory: &Key) -> Result<Op, Error> {
        if !self.key.as_bytes().starts_with(directory.as_bytes()) {
            let complaint = format!("key {:?} does not start with {directory:?}", self.key);
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
