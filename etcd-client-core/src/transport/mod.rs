//! The transport: endpoints, verified HTTP/2 connections, the pool, and the calls on it.

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

pub use balance::policy::Balance;
pub use connect::connector::Target;
#[cfg(feature = "proxy")]
pub use connect::proxy::HttpProxy;
#[cfg(feature = "tls")]
pub use connect::tls::{danger, settings::Tls, version::TlsVersion};
#[cfg(feature = "srv")]
pub use endpoint::discovery::Discovery;
pub use endpoint::endpoint_state::{EndpointPhase, EndpointState, EndpointStates};
pub use token::provider::TokenProvider;
