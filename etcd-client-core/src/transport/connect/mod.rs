//! Establishes byte streams to endpoints: TCP, unix sockets, TLS and HTTP proxies.

pub(crate) mod address_order;
pub(crate) mod connector;
pub(crate) mod dialing;
#[cfg(feature = "proxy")]
pub(crate) mod proxy;
pub(crate) mod tcp;
pub(crate) mod tls;
