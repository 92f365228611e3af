//! The etcd v3 client.
#![allow(dead_code, unused_imports, missing_docs, unreachable_pub, unnameable_types)]

pub(crate) mod model;
pub(crate) mod op;
pub(crate) mod service;
pub(crate) mod wire;

pub(crate) mod mechanism;
pub(crate) mod transport;
