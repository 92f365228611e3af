//! Watching a client at work: an [`Observer`] for its own code, `tracing` for people, and the `metrics` crate for dashboards.
//!
//! Nothing here ever sees a value, a password or a token, and a key only where
//! [`trace_keys`](crate::ClientBuilder::trace_keys) asks for it. Where nobody listens nothing is measured or allocated.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use etcd_client_core::{Client, observe::{AttemptEvent, Observer}};
//!
//! /// Counts what was sent again.
//! #[derive(Default)]
//! struct Resends(AtomicU64);
//!
//! impl Observer for Resends {
//!     fn attempt(&self, event: &AttemptEvent<'_>) {
//!         if event.resent {
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let client = Client::builder(["http://127.0.0.1:2379"]).observer(Resends::default()).build()?;
//! # client.close().await;
//! # Ok::<(), etcd_client_core::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is a call
//!
//! One RPC of a typed operation, with all of its attempts. What is refused before it needs a connection is none, and a stream is
//! one until it is open. The client's own questions to the members, such as who leads, are calls too. Calls of stubs that tonic
//! generated are not told, except for the connections that they cause: a tower layer around the channel sees them.
//!
//! # Names in tracing
//!
//! All with the target `etcd_client_core`.
//!
//! | name | level | what | fields |
//! |---|---|---|---|
//! | `etcd.call` | span, DEBUG | a call | `operation`; at its end `endpoint` (the last one tried), `attempts`, `outcome` (`ok`, `not applied`, `unknown`, `dropped`) and `error` (its kind); `key` when asked for and TRACE is on |
//! | `etcd.resend` | DEBUG | an attempt failed and another follows | `endpoint`, `attempt`, `sent`, `reason` |
//! | `etcd.unsent` | DEBUG | a stub's request did not leave and is handed to another connection | `reason` |
//! | `etcd.endpoint` | WARN at the beginning of an outage, ERROR where an endpoint is refused, INFO at its end and when ready for the first time, else DEBUG | an endpoint changed its phase | `endpoint`, `phase`, `reason`; at the end of an outage `outage_ms` and `failed_attempts` |
//! | `etcd.ejected` | INFO | an endpoint's calls fail: others are used for a while | `endpoint`, `for_ms` |
//! | `etcd.accepted` | WARN | another cluster or history was accepted | `before`, `revision`, `cluster` |
//! | `etcd.connection` | DEBUG | a connection was opened or closed | `endpoint`, `purpose`, `change`, `count` |
//! | `etcd.token` | DEBUG | a token was fetched, or could not be | `auth` (whether calls carry one), `error` |
//!
//! What else is written, about TLS files and changing members, has no names to rely on.
//!
//! The span is no context that other spans nest in, with one exception: a service that a client was built over is called inside.
//!
//! # Names in metrics
//!
//! With the feature `metrics`, `MetricsObserver` gives these to whatever recorder the process has installed.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `etcd_client_attempts_total` | counter | `operation`, `endpoint`, `result` |
//! | `etcd_client_resends_total` | counter | `operation` |
//! | `etcd_client_call_seconds` | histogram | `operation`, `result` |
//! | `etcd_client_connections` | gauge | `endpoint`, `purpose` (`calls`, `streams`, `waits`) |
//! | `etcd_client_endpoint_ready` | gauge, 0 or 1 | `endpoint` |
//! | `etcd_client_endpoint_refused` | gauge, 0 or 1: it is of another cluster or history | `endpoint` |
//!
//! `result` is `ok`, the name of etcd's [`Code`](etcd_errors::Code) or of gRPC's, such as `NoLeader` or `Unavailable`, the
//! [`ErrorKind`](etcd_errors::ErrorKind) of an error without a code, or `dropped` for a call whose caller did not wait for its end.

mod call;
mod connection;
mod event;
#[cfg(feature = "metrics")]
mod metrics;
mod observer;
#[cfg(test)]
mod tests;
pub(crate) mod trace;

pub(crate) use call::ObservedCall;
pub(crate) use connection::OpenConnection;
pub use event::{
    AttemptEvent, CallEnd, CallEvent, ConnectionChange, ConnectionEvent, ConnectionPurpose, EndpointEvent,
};
#[cfg(feature = "metrics")]
pub use metrics::MetricsObserver;
pub use observer::Observer;
pub(crate) use observer::SharedObserver;
