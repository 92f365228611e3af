//! The service for keys and values.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind};

use crate::{
    kv::{Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, Put, PutResponse, RangeStream},
    request::CallOptions,
    txn::{Txn, TxnResponse},
};

/// The operations on keys. The client implements it, wrappers extend it, and mocks replace it.
///
/// # Examples
/// ```
/// use async_trait::async_trait;
/// use etcd_client_core::{kv::*, prelude::*, txn::TxnResponse, types::ResponseHeader};
/// # use etcd_errors::{Error, ErrorKind};
///
/// /// Returns every key as its own value, and rejects writes.
/// #[derive(Debug)]
/// struct Echo;
///
/// #[async_trait]
/// impl KvService for Echo {
///     async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
///         let key = op.range.key();
///         Ok(GetResponse::new(ResponseHeader::default(), vec![KeyValue::new(key, key)]))
///     }
/// #   async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> { reject() }
/// #   async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> { reject() }
/// #   async fn txn(&self, _: Txn, _: CallOptions) -> Result<TxnResponse, Error> { reject() }
/// #   async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> { reject() }
///     // put, delete, txn and compact likewise
/// }
/// # fn reject<T>() -> Result<T, Error> { Err(Error::new(ErrorKind::Protocol, "a mock")) }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let response = Get::new("k").bind(&Echo).await?;
/// assert_eq!(response.first().unwrap().value_str(), Ok("k"));
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait KvService: Send + Sync + Debug {
    /// Reads a key or a range of keys.
    ///
    /// # Errors
    /// A failed read has no effect: its outcome is `NotApplied`.
    async fn get(&self, op: Get, options: CallOptions) -> Result<GetResponse, Error>;

    /// Writes a key.
    ///
    /// # Errors
    /// The outcome of the error shows whether the write may have been applied.
    async fn put(&self, op: Put, options: CallOptions) -> Result<PutResponse, Error>;

    /// Deletes a key or a range of keys.
    ///
    /// # Errors
    /// The outcome of the error shows whether the keys may have been deleted.
    async fn delete(&self, op: Delete, options: CallOptions) -> Result<DeleteResponse, Error>;

    /// Applies one of the two branches of a Txn.
    ///
    /// # Errors
    /// The outcome of the error shows whether a branch may have been applied.
    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error>;

    /// Discards the history before a revision.
    ///
    /// # Errors
    /// The outcome of the error shows whether the history may have been discarded.
    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error>;

    /// Reads a range as a stream of chunks. Members support this since etcd 3.7.
    ///
    /// [`Get::pages`] uses this method where it is supported. A service without streamed ranges does not implement
    /// it.
    ///
    /// # Errors
    /// - [`InvalidRequest`](ErrorKind::InvalidRequest): the request has a sort, a count or a filter by revision,
    ///   which
    ///   members ignore in a stream.
    /// - [`Unsupported`](ErrorKind::Unsupported): the service or the member does not support streamed ranges. Use a get
    ///   of the range, or its pages, instead.
    /// - [`CapacityExceeded`](ErrorKind::CapacityExceeded): the client has the maximum number of unread streams open.
    ///   Read them to their end or drop them before opening another one, or use pages.
    ///
    /// A running stream may end with an error if members or users change, because the position to resume from is
    /// unknown. Pages resume in this case.
    async fn range_stream(&self, _op: Get, _options: CallOptions) -> Result<RangeStream, Error> {
        let error = Error::new(ErrorKind::Unsupported, "this service does not support streamed ranges");
        Err(error.with_operation("get"))
    }
}
