//! Decorators: services that wrap another service and change its requests and responses.

mod namespace;

pub use namespace::Namespace;
