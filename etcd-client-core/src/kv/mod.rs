//! Keys and values: get, put, delete, compact, paging and streamed ranges.

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
pub(crate) mod sort;
#[cfg(test)]
mod tests;

pub use compact::{Compact, CompactResponse};
pub use delete::{Delete, DeleteResponse};
pub use get::{Get, GetResponse};
pub use pages::{Page, Pages};
pub use put::{Put, PutResponse};
pub use range_stream::{RangeChunk, RangeStream};
pub use service::KvService;
pub use sort::{SortOrder, SortTarget};
