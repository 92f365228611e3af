//! The operation in errors that occur before a call.

use etcd_errors::Error;

use crate::transport::grpc::method::Method;

/// Adds the operation to an error that occurred before the call. Errors of the call itself already have it.
pub(crate) fn with_operation<T>(method: Method, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(method.operation()))
}
