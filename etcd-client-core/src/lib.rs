//! The etcd v3 client.

mod client;
mod mechanism;
mod model;
mod op;
mod remote;
mod service;
mod transport;
mod wire;

pub use client::{Client, ClientBuilder, Leases, Page, Pages};
pub use etcd_errors::{Attempt, Code, Error, ErrorKind, GrpcCode, Outcome};
pub use model::*;
pub use op::*;
pub use service::*;
pub use transport::{
    channel::Channel,
    connector::Target,
    endpoint::{Address, Endpoint, Security},
    tonic,
};
