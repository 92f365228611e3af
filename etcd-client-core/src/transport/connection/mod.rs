//! One verified HTTP/2 connection to a member.

pub(crate) mod activity;
pub(crate) mod atomic;
pub(crate) mod capacity;
#[cfg(test)]
mod capacity_tests;
pub(crate) mod check;
pub(crate) mod complaints;
pub(crate) mod connection_load;
pub(crate) mod driver;
pub(crate) mod grpc_stream;
pub(crate) mod handshake;
pub(crate) mod histories;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod limit;
pub(crate) mod liveness;
pub(crate) mod member;
pub(crate) mod message_stream;
pub(crate) mod open_connection;
pub(crate) mod ownership;
pub(crate) mod verified;
