//! Observability: an [`Observer`] for your own code, `tracing` spans and events, and metrics for dashboards.
//!
//! Values, passwords and tokens never appear in them, and keys only with
//! [`trace_keys`](crate::client::ClientBuilder::trace_keys). Without an observer or a subscriber, nothing is measured or
//! allocated.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use etcd_client_core::{Client, observe::{AttemptEvent, Observer}};
//!
//! /// Counts retries.
//! #[derive(Default)]
//! struct Retries(AtomicU64);
//!
//! impl Observer for Retries {
//!     fn attempt(&self, event: &AttemptEvent<'_>) {
//!         if event.retried {
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let client = Client::builder(["http://127.0.0.1:2379"]).observer(Retries::default()).build()?;
//! # client.close().await;
//! # Ok::<(), etcd_client_core::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Calls
//!
//! A call is one RPC of a typed operation, with all of its attempts. A request that is rejected before it needs a
//! connection does not count as a call. A stream counts as a call until it is open. The client's internal requests,
//! such as finding the leader, are calls too.
//!
//! Calls of tonic-generated stubs are not reported, except for the connections that they open. To observe them, wrap
//! the channel in a tower layer.
//!
//! # Names in tracing
//!
//! All of them use the target `etcd_client_core`.
//!
//! | name | level | event | fields |
//! |---|---|---|---|
//! | `etcd.call` | span, DEBUG | a call | `operation`; at its end `endpoint` (the last one tried), `attempts`, `outcome` (`ok`, `not applied`, `unknown`, `dropped`) and `error` (its kind); `key` with `trace_keys` and TRACE enabled |
//! | `etcd.retry` | DEBUG | an attempt failed and is retried | `endpoint`, `attempt`, `sent`, `reason` |
//! | `etcd.unsent` | DEBUG | a stub's request was not sent and moves to another connection | `reason` |
//! | `etcd.endpoint` | WARN when an outage begins, ERROR when an endpoint is rejected, INFO when an outage ends and on the first connection, otherwise DEBUG | an endpoint changed its phase | `endpoint`, `phase`, `reason`; at the end of an outage `outage_ms` and `failed_attempts` |
//! | `etcd.ejected` | INFO | an endpoint's calls fail; it is avoided for a while | `endpoint`, `for_ms` |
//! | `etcd.accepted` | WARN | another cluster or history was accepted | `before`, `revision`, `cluster` |
//! | `etcd.connection` | DEBUG | a connection was opened or closed | `endpoint`, `purpose`, `change`, `count` |
//! | `etcd.token` | DEBUG | a token was fetched, or could not be fetched | `auth` (whether calls carry a token), `error` |
//!
//! Other events, such as those about TLS files and changed members, have no stable names.
//!
//! Other spans do not nest in the span of a call, with one exception: the service of a client that was built with one
//! runs inside it.
//!
//! # Names in metrics
//!
//! With the feature `metrics`, `MetricsObserver` records these with the recorder that the process has installed.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `etcd_client_attempts_total` | counter | `operation`, `endpoint`, `result` |
//! | `etcd_client_retries_total` | counter | `operation` |
//! | `etcd_client_call_seconds` | histogram | `operation`, `result` |
//! | `etcd_client_connections` | gauge | `endpoint`, `purpose` (`calls`, `streams`, `waits`) |
//! | `etcd_client_endpoint_ready` | gauge, 0 or 1 | `endpoint` |
//! | `etcd_client_endpoint_rejected` | gauge, 0 or 1: the endpoint belongs to another cluster or history | `endpoint` |
//!
//! The label `result` is one of:
//!
//! - `ok`;
//! - the name of etcd's [`Code`](etcd_errors::Code) or of a gRPC code, such as `NoLeader` or `Unavailable`;
//! - the [`ErrorKind`](etcd_errors::ErrorKind) of an error without a code;
//! - `dropped`, if the caller dropped the call's future.

pub(crate) mod event;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
pub(crate) mod observer;
pub(crate) mod trace;

#[cfg(feature = "metrics")]
pub use crate::transport::observe::metrics::MetricsObserver;
pub use crate::transport::observe::{
    event::{
        AttemptEvent, CallEnd, CallEvent, ConnectionChange, ConnectionEvent, ConnectionPurpose, EndpointEvent,
    },
    observer::Observer,
};
