//! A gRPC server that answers exactly what a test says, down to single HTTP/2 frames, and counts what it was asked.
//!
//! ```
//! use etcd_testkit::scripted::{Server, reply, in_turn};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! // The first call is reset after the server has read the request; the later ones succeed with an empty message.
//! let server = Server::start(in_turn([reply::reset(reply::CANCEL), reply::message("")])).await?;
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! assert_eq!(server.applied("/etcdserverpb.KV/Put"), 0);
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The empty Txn that a client sends on each new connection is no call of a test: [`Server::identify`] answers it, by
//! default without a header, as a server does that does not say which cluster it is of.
//!
//! A [`Script`] gives each call an [`Answer`]: the [`Step`]s to take, one after the other. An answer whose steps end
//! without ending the stream leaves it open until the client ends it. [`reply`] has the usual answers, [`frame`] the
//! raw bytes; [`Raw`] is for peers that do not speak HTTP/2 at all.

mod connection;
pub mod frame;
mod ledger;
mod perform;
mod probe;
mod raw;
pub mod reply;
mod script;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use self::{
    ledger::{Counts, Received},
    raw::Raw,
    script::{Answer, Call, Gate, Head, Last, Script, Step, in_turn},
    server::{Builder, Server},
};
