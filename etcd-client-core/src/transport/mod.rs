//! Connections to the members and calls on them.

pub(crate) mod attempt;
pub(crate) mod call;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod connector;
pub(crate) mod driver;
pub(crate) mod endpoint;
pub(crate) mod exchange;
pub(crate) mod failure;
pub(crate) mod headers;
pub(crate) mod method;
pub(crate) mod pool;
pub(crate) mod progress;
pub(crate) mod streaming;
pub(crate) mod supervisor;
pub(crate) mod tcp;
pub mod tonic;
