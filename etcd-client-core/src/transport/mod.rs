//! TODO-HEADER transport

pub(crate) mod backoff;
pub(crate) mod balance;
pub(crate) mod call;
pub(crate) mod caller;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod endpoint;
pub(crate) mod grpc;
pub mod observe;
pub(crate) mod pool;
pub(crate) mod runtime;
pub(crate) mod stream;
pub mod stub;
pub(crate) mod token;
