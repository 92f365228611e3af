//! The modules of the transport that are compiled with loom's atomics, at the paths that they have in the crate.

pub(crate) mod balance;
pub(crate) mod connection;
