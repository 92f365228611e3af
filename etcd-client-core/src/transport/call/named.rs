//! Implementations of the services for a real cluster. Each operation is validated, encoded, called and decoded.

use std::{any::Any, sync::Arc};

use etcd_errors::Error;

use crate::transport::grpc::method::Method;

/// A part of the client, besides its connections, that lives as long as a handle: the background task that maintains
/// the endpoints.
pub(crate) type ClientPart = Arc<dyn Any + Send + Sync>;

/// Adds the operation to an error that occurred before the call. Errors of the call itself already have it.
pub(crate) fn named<T>(method: Method, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(method.operation()))
}
