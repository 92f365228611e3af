//! The etcd v3 client: keys, transactions and leases over a transport whose failover nobody notices.
//!
//! ```no_run
//! use etcd_client_core::{Client, Code, Compare, Outcome, Put};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), etcd_client_core::Error> {
//! let client = Client::builder(["http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379"]).build()?;
//!
//! client.put("config/limit", "10").await?;
//! let limits = client.get("config/").prefix().await?;
//! println!("{} keys at revision {}", limits.count, limits.header.revision);
//!
//! let txn = client.txn().when(Compare::value("config/limit").equal("10")).then(Put::new("config/limit", "20"));
//! match txn.await {
//!     Ok(response) => println!("changed: {}", response.succeeded()),
//!     Err(error) if error.code() == Some(Code::PermissionDenied) => println!("not ours to change"),
//!     Err(error) if error.outcome() == Outcome::Unknown => println!("changed at most once: read it back"),
//!     Err(error) => eprintln!("{}", error.report()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! - [`Client`] and its [`builder`](Client::builder): connecting, deadlines, limits, closing.
//! - [`Get`], [`Put`], [`Delete`], [`Txn`], [`Compact`]: one struct for each operation. A client's method gives one that is awaited;
//!   `new` gives one that goes into a [`Txn`] or to [`Client::execute`].
//! - [`Get::pages`]: long ranges at one revision, in flat memory.
//! - [`Client::lease`]: leases that keys are attached to.
//! - [`Client::snapshot`]: the database of a member, verified, into a file or a writer.
//! - [`Error`]: its kind, etcd's [`Code`], the [`Outcome`] of a write, and a report to act on.
//! - [`Kv`] and [`Lease`]: the services as traits, for decorators and mocks.
//! - [`tonic`]: any generated stub on this client's connections.
//!
//! # What holds for every call
//!
//! - Nothing that is invalid is sent: the error names the field.
//! - One deadline (5 s by default) covers connecting, every attempt, every wait and the decoding.
//! - Reads are sent again until the deadline; a write is sent again only when it was definitely not processed, so that it is
//!   applied at most once. Where it may have been applied the error says [`Outcome::Unknown`].
//! - A future can be dropped at any time; nothing is left behind but, possibly, the write.
//!
//! # TLS
//!
//! Endpoints with `https://` or `unixs:` are spoken to through rustls, set up with `Tls` and `ClientBuilder::tls`.
//!
//! | feature | brings |
//! |---|---|
//! | `tls-ring` (default) | TLS with the cryptography of ring |
//! | `tls-aws-lc` | TLS with that of aws-lc, where `tls-ring` is off |
//! | `tls-native-roots` | the authorities that the operating system trusts, beside either |
//!
//! # Runtime
//!
//! The client runs on tokio: build and use it inside a runtime with time and I/O enabled. A call outside of one, or after the one
//! it was built on has ended, is an error and no panic.

mod client;
mod mechanism;
mod model;
mod op;
mod remote;
mod service;
mod transport;
mod wire;

pub use client::{Client, ClientBuilder, Leases, Page, Pages, Snapshot};
pub use etcd_errors::{Attempt, Code, Error, ErrorKind, GrpcCode, Outcome};
pub use model::{
    Address, ClusterId, Endpoint, Key, KeyValue, LeaseId, MemberId, ParseLeaseIdError, ResponseHeader,
    Revision, Security, Value, Version, prefix_range_end,
};
pub use op::{
    Bound, Compact, CompactResponse, CompactSpec, Compare, CompareOp, CompareOperand, CompareSubject, Delete,
    DeleteResponse, DeleteSpec, Get, GetResponse, GetSpec, IntoCompares, IntoOps, KeyRange, LeaseBound,
    LeaseGrant, LeaseGrantResponse, LeaseGrantSpec, LeaseList, LeaseListResponse, LeaseListSpec, LeaseRevoke,
    LeaseRevokeResponse, LeaseRevokeSpec, LeaseTimeToLive, LeaseTimeToLiveResponse, LeaseTimeToLiveSpec,
    Limits, Op, OpResponse, Put, PutResponse, PutSpec, SortOrder, SortTarget, Txn, TxnResponse, TxnSpec,
    Unbound,
};
pub use service::{
    CallOptions, Kv, Lease, RangeChunk, RangeStream, Resend, SnapshotDigest, SnapshotProgress,
    SnapshotStream, SnapshotSummary, Timeout, execute,
};
#[cfg(feature = "srv")]
pub use transport::discovery::Discovery;
#[cfg(feature = "proxy")]
pub use transport::proxy::HttpProxy;
#[cfg(feature = "tls")]
pub use transport::tls::{Tls, TlsVersion, danger};
pub use transport::{
    connector::Target,
    state::{EndpointPhase, EndpointState, EndpointStates},
    tonic,
    wish::Balance,
};
