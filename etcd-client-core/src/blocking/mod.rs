//! Calls that block the thread, for programs without an async runtime.
//!
//! [`ClientBuilder::build_blocking`](crate::ClientBuilder::build_blocking) builds a client whose background tasks run on one thread of
//! their own. [`Wait::wait`] executes any request or future of a client, and of the recipes in `etcd-concurrency`.
//! [`WaitEach::wait_each`] turns a stream, such as a watch, into an iterator. The program needs neither `tokio` in its manifest nor an
//! `async` function.
//!
//! # Examples
//!
//! ```no_run
//! use std::time::Duration;
//! use etcd_client_core::{Client, Compare, Error, Put};
//! use etcd_client_core::blocking::{Wait, WaitEach};
//!
//! fn main() -> Result<(), Error> {
//!     let client = Client::builder(["http://127.0.0.1:2379"]).build_blocking()?;
//!     client.put("config/limit", "10").wait()?;
//!     let txn = client.txn().when(Compare::value("config/limit").equal("10")).then(Put::new("config/limit", "20"));
//!     println!("swapped: {}", txn.wait()?.succeeded());
//!
//!     let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().wait()?;
//!     client.put("workers/7", "busy").lease(lease.id()).wait()?;
//!
//!     for event in client.watch("config/").prefix().wait()?.events().wait_each() {
//!         println!("{:?}", event?.kv.key_str());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # In programs with a runtime
//!
//! A call from async code would block a thread of the runtime, and with it other tasks. It fails with
//! [`InvalidRequest`](crate::ErrorKind::InvalidRequest) instead, and sends nothing. Await the request there, or make the call inside of
//! `tokio::task::spawn_blocking` or `tokio::task::block_in_place`, where it works. A task in `tokio::task::unconstrained` and tasks of
//! other runtimes are not recognised: they are blocked.
//!
//! Functions that start background tasks without being awaited, such as `Cache::builder(…).start()`, need the runtime of the blocking
//! calls: `async { Cache::builder(&client, range).start() }.wait()`.

pub(crate) mod iter;
pub(crate) mod runtime;
pub(crate) mod wait;

pub use iter::{Iter, WaitEach};
pub use wait::Wait;

use etcd_errors::Error;

use crate::client::{Client, ClientBuilder};

impl ClientBuilder {
    /// Builds a client for blocking calls. Its background tasks run on a thread that all such clients of the process share.
    ///
    /// It returns immediately: connections are made in the background. See the module [`blocking`](crate::blocking).
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and [`Io`](crate::ErrorKind::Io) if the thread cannot be started.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Client, blocking::Wait};
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).build_blocking()?;
    /// println!("{} keys", client.get("config/").prefix().wait()?.count);
    /// # Ok(())
    /// # }
    /// ```
    pub fn build_blocking(self) -> Result<Client, Error> {
        let _entered = runtime::background()?.enter();
        self.build()
    }
}
