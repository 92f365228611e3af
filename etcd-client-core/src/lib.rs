//! A client for [etcd](https://etcd.io) v3: keys, transactions, watches and leases, with transparent failover.
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
//!     Err(error) if error.code() == Some(Code::PermissionDenied) => println!("permission denied"),
//!     Err(error) if error.outcome() == Outcome::Unknown => println!("changed at most once: read it back"),
//!     Err(error) => eprintln!("{}", error.report()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # How do I …
//!
//! ## … change a key that other clients change too?
//!
//! [`Client::update`] passes the current value to a function and writes the result if the key has not changed since, with retries. It
//! also determines whether a write was applied whose response was lost. [`Client::create`], [`Client::delete_if`] and
//! [`Client::swap`] are special cases.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::KeyValue;
//!
//! let double = |limit: Option<&KeyValue>| {
//!     let limit: u32 = limit.and_then(|kv| kv.value_str().ok()?.parse().ok()).unwrap_or(10);
//!     (2 * limit).to_string()
//! };
//! let updated = client.update("config/limit", double).await?;
//! println!("before: {:?}", updated.previous);
//! # Ok(())
//! # }
//! ```
//!
//! ## … compare and swap several keys?
//!
//! A [`Txn`] compares keys and executes one of two branches atomically. Comparing [`mod_revision`](Compare::mod_revision) detects
//! every change in between, even one that restored the old value.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::{Compare, Put};
//!
//! if let Some(found) = client.get("config/limit").await?.first() {
//!     let unchanged = Compare::mod_revision("config/limit").equal(found.mod_revision);
//!     let puts = [Put::new("config/limit", "20"), Put::new("config/changed-by", "me")];
//!     let txn = client.txn().when(unchanged).then(puts).await?;
//!     println!("swapped: {}", txn.succeeded());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ## … watch a prefix?
//!
//! [`Client::watch`] delivers each event once, in order, and resumes after the loss of a member. To continue from a list without a
//! gap, start the watch at the revision after the list.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! let listed = client.get("config/").prefix().await?;
//! let mut watch = client.watch("config/").prefix().start_revision(listed.header.revision.next()).await?;
//! while let Some(response) = watch.next().await {
//!     for event in response?.events {
//!         println!("{:?} {:?}", event.event_type, event.kv.key_str());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! ## … keep a lease alive?
//!
//! [`keep_alive`](lease::LeaseGrant::keep_alive) renews the lease until the returned [`LeaseKeeper`](lease::LeaseKeeper) is dropped. The handle reports a loss no
//! later than the lease may have expired. A [`HealingLease`](client::HealingLease) re-creates a lost lease and its keys, for registrations.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//!
//! let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
//! client.put("workers/7", "busy").lease(lease.id()).await?;
//! println!("stop working: {:?}", lease.lost().await);
//! # Ok(())
//! # }
//! ```
//!
//! ## … take a lock, or elect a leader?
//!
//! Use the crate [`etcd-concurrency`](https://docs.rs/etcd-concurrency): its `Mutex`, `RwLock`, `Semaphore` and `Election` survive the
//! loss of members and clean up after themselves. [`Client::server_lock`] and [`Client::server_election`] call etcd's own lock and
//! election services instead, in one request each: see [`LockClient`](lock::LockClient) and [`ElectionClient`](election::ElectionClient). In both cases guard each write with a
//! comparison that holds only while the lock is held, such as [`ServerLockResponse::owned`](lock::ServerLockResponse::owned).
//!
//! ## … cache a prefix?
//!
//! A [`Cache`] holds a range in memory, consistent at one revision, and follows the store. It reads from memory without `await`, or
//! linearizably with [`Cache::read`]. A [`Mirror`](mirror::Mirror) replicates a range into another system.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::Cache;
//! use etcd_client_core::types::KeyRange;
//!
//! let cache = Cache::builder(&client, KeyRange::prefix("config/")).start()?;
//! cache.ready().await?;
//! let limit = cache.get("config/limit")?;
//! # let _ = limit;
//! # Ok(())
//! # }
//! ```
//!
//! ## … reload configuration?
//!
//! With the feature `serde`, a `json::Live` follows a key or a prefix into a typed value, and keeps the last valid one.
//!
//! ## … use the client without an async runtime?
//!
//! With the feature `blocking`, `ClientBuilder::build_blocking` builds a client, and `wait()` executes any of its requests.
//!
//! ## … read a range that is too large for one response?
//!
//! [`Get::pages`] reads it page by page at one revision, in constant memory.
//!
//! ## … discover services?
//!
//! With the feature `naming`, `naming::Endpoints` registers, lists and watches the endpoints of a service, in the format of Go's
//! `naming/endpoints`. With the feature `tower`, `naming::tower` feeds the balancers of tower and tonic.
//!
//! ## … test without etcd?
//!
//! Write code against the service traits [`KvService`](kv::KvService), [`LeaseService`](lease::LeaseService), [`WatchService`](watch::WatchService), [`ClusterService`](cluster::ClusterService), [`MaintenanceService`](maintenance::MaintenanceService), [`AuthService`](auth::AuthService), [`LockService`](lock::LockService) and
//! [`ElectionService`](election::ElectionService). The [`Client`] implements all of them, and a mock implements one: see the example at [`KvService`](kv::KvService).
//! [`WatchStream`](watch::WatchStream) and [`LeaseKeeper`](lease::LeaseKeeper) have constructors for mocks.
//!
//! ## … trace and measure?
//!
//! The module [`observe`] describes the `tracing` spans and events, the [`Observer`](observe::Observer) trait, and the metrics of the
//! feature `metrics`. [`Client::endpoint_states`] streams the health of each endpoint.
//!
//! ## … use a generated stub, or middleware?
//!
//! The module [`tonic`] runs any stub generated by tonic on the connections of a client, and runs a client through tower layers.
//!
//! # Where to find it
//!
//! | task | start at |
//! |---|---|
//! | connect, set deadlines and limits, close | [`Client`], [`ClientBuilder`] |
//! | authenticate | [`ClientBuilder::password`], [`ClientBuilder::token`], [`TokenProvider`](transport::TokenProvider) |
//! | build an operation for a transaction or a wrapper | [`Get`], [`Put`], [`Delete`], [`Txn`], [`Compact`](kv::Compact), [`Client::execute`] |
//! | set options of one call | [`CallOptions`] |
//! | balance calls among members | [`Balance`](transport::Balance) |
//! | serve linearizable reads from memory | [`Leasing`](leasing::Leasing) |
//! | put all keys under a prefix | [`Client::with_namespace`], [`Namespace`] |
//! | manage users, roles and permissions | [`Client::auth`] |
//! | manage members | [`Client::cluster`], [`Client::sync`] |
//! | defragment, check status and alarms | [`Client::maintenance`] |
//! | take a backup | [`Client::snapshot`] |
//! | handle errors | [`Error`], [`ErrorKind`], [`Code`], [`Outcome`], [`Error::report`] |
//!
//! # Guarantees of every call
//!
//! - An invalid request fails without being sent, and the error names the field.
//! - One deadline (5 s by default) covers connecting, all attempts, all waits and decoding.
//! - While one member is healthy, a dead member fails no calls. A hung member delays a read by at most 3 s, and receives no new calls
//!   once it is detected.
//! - A read is retried until its deadline. A write is retried only if it was certainly not processed, so that it is applied at most
//!   once. If it may have been applied, the error has [`Outcome::Unknown`].
//! - A future can be dropped at any time. The only possible side effect is the write itself.
//!
//! # TLS
//!
//! Endpoints with `https://` or `unixs:` use rustls, configured with `Tls` and `ClientBuilder::tls`.
//!
//! | feature | adds |
//! |---|---|
//! | `tls-ring` (default) | TLS with the cryptography of ring |
//! | `tls-aws-lc` | TLS with the cryptography of aws-lc, if `tls-ring` is disabled |
//! | `tls-native-roots` | the root certificates of the operating system, in addition to one of the above |
//!
//! # Other features
//!
//! | feature | adds |
//! |---|---|
//! | `srv` | `Discovery`: endpoints from DNS SRV records |
//! | `proxy` | `HttpProxy`: connections through an HTTP CONNECT proxy |
//! | `blocking` | `blocking`: calls that block the thread, for programs without an async runtime |
//! | `serde` | `json`: typed values in JSON, and values that follow the store |
//! | `naming` | `naming`: service discovery, compatible with Go's `naming/endpoints` |
//! | `tower` | `naming::tower`: service discovery for the balancers of tower and tonic |
//! | `metrics` | `MetricsObserver`: counters and histograms for the `metrics` crate |
//!
//! # Runtime
//!
//! The client runs on Tokio. Build and use it inside a runtime with time and I/O enabled. A call outside of a runtime, or after the
//! runtime of the client has ended, returns an error instead of panicking.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod cache;
pub mod client;
pub mod cluster;
pub mod election;
#[cfg(feature = "serde")]
pub mod json;
pub mod kv;
pub mod lease;
pub mod leasing;
pub mod lock;
pub mod maintenance;
pub mod mirror;
pub mod namespace;
#[cfg(feature = "naming")]
pub mod naming;
pub mod request;
pub mod snapshot;
pub mod transport;
pub mod txn;
pub mod types;
pub mod update;
pub mod watch;

/// The error of every call, with its kind, code and outcome, from the crate `etcd-errors`.
pub mod error {
    pub use etcd_errors::{Attempt, Code, Error, ErrorKind, ErrorTopic, GrpcCode, Outcome};
}

pub use etcd_errors::{Code, Error, ErrorKind, Outcome};

#[cfg(feature = "tls")]
pub use crate::transport::Tls;
pub use crate::{
    cache::Cache,
    client::{Client, ClientBuilder},
    kv::{Delete, Get, Put},
    namespace::Namespace,
    request::CallOptions,
    transport::{observe, stub},
    txn::{Compare, Txn},
    types::{Event, EventType, Key, KeyValue, LeaseId, Revision, Value},
    watch::Watch,
};

pub mod prelude {
    //! The names that most programs use: `use etcd_client_core::prelude::*`.
    //!
    //! ```no_run
    //! use etcd_client_core::prelude::*;
    //!
    //! # async fn example() -> Result<(), Error> {
    //! let client = Client::builder(["http://127.0.0.1:2379"]).build()?;
    //! client.put("greeting", "hello").await?;
    //! # Ok(())
    //! # }
    //! ```

    #[cfg(feature = "tls")]
    pub use crate::transport::Tls;
    pub use crate::{
        auth::AuthService,
        client::Client,
        cluster::ClusterService,
        election::ElectionService,
        error::{Code, Error, ErrorKind, Outcome},
        kv::{Delete, Get, KvService, Put},
        lease::LeaseService,
        lock::LockService,
        maintenance::MaintenanceService,
        request::CallOptions,
        txn::{Compare, Txn},
        types::{Event, EventType, Key, KeyValue, LeaseId, Revision, Value},
        watch::{Watch, WatchService},
    };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
