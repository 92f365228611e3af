//! An etcd for tests, in the process of the test.
//!
//! [`Etcd`] is a member with keys, transactions, watches, leases, users, locks and elections, behind the gRPC services of
//! etcd. It has no binary, no disk and no other members. It does not depend on a client: any client of etcd can use it.
//!
//! ```
//! use etcd_client_core::Client;
//! use etcd_testing::Etcd;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let etcd = Etcd::start().await?;
//! let client = Client::builder([etcd.endpoint()]).build()?;
//! client.put("greeting", "hello").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! All time is tokio's. With `#[tokio::test(start_paused = true)]` a lease of an hour ends when the test sleeps for an hour,
//! which takes no time. Use a member [without a listener](Builder::without_listener) then: while the clock is paused, tokio
//! advances it as soon as all tasks wait, also for data that is on its way through a socket.
//!
//! # Connections
//!
//! | connection | for |
//! |---|---|
//! | [`Etcd::endpoint`] | every client, over TCP on 127.0.0.1 or a unix socket |
//! | [`Etcd::connector`] | clients that take a connector: HTTP/2 in memory |
//! | [`Etcd::service`] | clients on a tower service: no connection at all |
//!
//! # Faults
//!
//! [`Etcd::inject`] has a [`Fault`] happen to chosen calls: a status instead of a response, a lost answer, a delay, silence.
//! [`Etcd::pause`] and [`Etcd::restart`] do to the member what `SIGSTOP` and a new process do to a real one.
//!
//! # Inspection
//!
//! [`keys`](Etcd::keys), [`leases`](Etcd::leases), [`watches`](Etcd::watches) and [`requests`](Etcd::requests) return what the
//! member has and got, as typed values for assertions.
//!
//! # Differences from etcd
//!
//! - Changes of the cluster, snapshots, downgrades and changes of the leader answer `Unimplemented`.
//! - A lease ends at once when it expires. etcd looks for expired leases twice a second.
//! - A watch of the past gets its first response at once. etcd starts within 100 ms.
//! - A sort with equal values keeps the order of the keys. etcd's order is not defined for more than 12 keys.
//! - Unknown sort options are rejected on every line. Some end a server before 3.6.
//! - A transaction that ends a server of 3.7.3 is answered: a put that keeps the value or the lease of a key which an
//!   earlier operation of the same transaction has deleted.
//! - Hashes are equal for equal stores, but not those of etcd.
//! - Passwords are kept as they are, and tokens can be guessed.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod auth;
mod builder;
mod call;
mod connection;
mod etcd;
mod fault;
mod inspect;
mod lease;
mod line;
mod listen;
mod member;
mod method;
mod power;
mod rejection;
mod service;
mod services;
mod shared;
mod store;
mod watch;

pub use self::builder::Builder;
pub use self::call::Call;
pub use self::connection::Connector;
pub use self::etcd::Etcd;
pub use self::fault::{Fault, Rule};
pub use self::inspect::{LiveLease, LiveWatch, Received, StoredKey};
pub use self::line::Line;
pub use self::method::Method;
pub use self::service::{ConnectionLost, EtcdService};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
