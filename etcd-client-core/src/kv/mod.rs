//! Keys and values: get, put, delete and compact, pages of long ranges, and streamed ranges.
//!
//! [`Client::get`](crate::Client::get), [`put`](crate::Client::put), [`delete`](crate::Client::delete) and
//! [`compact`](crate::Client::compact) return requests that are awaited. [`Get::new`], [`Put::new`], [`Delete::new`] and
//! [`Compact::new`] create the same requests for a transaction or for a method of [`KvService`].
//!
//! A read is linearizable unless [`serializable`](Get::serializable) is set. A range that may exceed one response is read with
//! [`pages`](Get::pages), at one revision.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! client.put("config/limit", "10").await?;
//! for kv in client.get("config/").prefix().await?.kvs {
//!     println!("{:?} was changed at revision {}", kv.key_str(), kv.mod_revision);
//! }
//! client.delete("config/limit").await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod codec;
#[cfg(test)]
mod codec_tests;
pub(crate) mod compact;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod pages;
pub(crate) mod put;
pub(crate) mod range_stream;
pub(crate) mod remote;
pub(crate) mod service;
#[cfg(test)]
mod tests;

pub use compact::{Compact, CompactResponse};
pub use delete::{Delete, DeleteResponse};
pub use get::{Get, GetResponse, SortOrder, SortTarget};
pub use pages::{Page, Pages};
pub use put::{Put, PutResponse};
pub use range_stream::{RangeChunk, RangeStream};
pub use service::KvService;
