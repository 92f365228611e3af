//! Decision logic without clocks, sockets or tasks. Every input is an argument, including time and randomness.

pub(crate) mod address_order;
pub(crate) mod atomic;
pub(crate) mod backoff;
pub(crate) mod budget;
pub(crate) mod complaints;
pub(crate) mod ejection;
pub(crate) mod grpc;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod keepalive;
pub(crate) mod latency;
pub(crate) mod leader;
pub(crate) mod liveness;
pub(crate) mod member_sync;
pub(crate) mod outage;
pub(crate) mod page_plan;
pub(crate) mod pick;
pub(crate) mod rejection;
pub(crate) mod replica;
pub(crate) mod retry;
pub(crate) mod server_version;
pub(crate) mod snapshot_check;
#[cfg(feature = "srv")]
pub(crate) mod srv;
pub(crate) mod watch;
