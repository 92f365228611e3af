//! Connections to the members and calls on them.

pub(crate) mod attempt;
pub(crate) mod call;
pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod connector;
pub(crate) mod driver;
pub(crate) mod exchange;
pub(crate) mod failure;
pub(crate) mod gauge;
pub(crate) mod headers;
pub(crate) mod health;
pub(crate) mod heard;
pub(crate) mod leader;
pub(crate) mod member;
pub(crate) mod method;
pub(crate) mod origin;
pub(crate) mod pool;
pub(crate) mod progress;
pub(crate) mod state;
pub(crate) mod streaming;
pub(crate) mod supervisor;
pub(crate) mod tcp;
pub(crate) mod tls;
pub mod tonic;
pub(crate) mod wait;
pub(crate) mod wish;
