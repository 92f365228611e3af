//! Streams of messages on a connection of the pool.

pub(crate) mod duplex;
pub(crate) mod header_check;
pub(crate) mod resumable_stream;
pub(crate) mod server;
