//! The service of keys and values.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind};

use super::{CallOptions, RangeStream};
use crate::op::{
    Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, Put, PutResponse, Txn, TxnResponse,
};

/// The operations on keys. The client is one; a decorator is made from another; a mock answers by itself.
///
/// ```
/// use async_trait::async_trait;
/// use etcd_client_core::*;
/// # use etcd_errors::{Error, ErrorKind};
///
/// /// Knows the value of every key, and refuses to change it.
/// #[derive(Debug)]
/// struct Echo;
///
/// #[async_trait]
/// impl Kv for Echo {
///     async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
///         let key = op.spec().range.key();
///         Ok(GetResponse::new(ResponseHeader::default(), vec![KeyValue::new(key, key)]))
///     }
/// #   async fn put(&self, _: Put, _: CallOptions) -> Result<PutResponse, Error> { refuse() }
/// #   async fn delete(&self, _: Delete, _: CallOptions) -> Result<DeleteResponse, Error> { refuse() }
/// #   async fn txn(&self, _: Txn, _: CallOptions) -> Result<TxnResponse, Error> { refuse() }
/// #   async fn compact(&self, _: Compact, _: CallOptions) -> Result<CompactResponse, Error> { refuse() }
///     // put, delete, txn and compact likewise
/// }
/// # fn refuse<T>() -> Result<T, Error> { Err(Error::new(ErrorKind::Protocol, "a mock")) }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let response = Get::new("k").bind(&Echo).await?;
/// assert_eq!(response.first().unwrap().value_str(), Ok("k"));
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Kv: Send + Sync + Debug {
    /// Reads a key or a range of keys.
    ///
    /// # Errors
    /// A failed read has no effect: its outcome is `NotApplied`.
    async fn get(&self, op: Get, options: CallOptions) -> Result<GetResponse, Error>;

    /// Writes a key.
    ///
    /// # Errors
    /// The outcome of the error says whether the write may have been applied.
    async fn put(&self, op: Put, options: CallOptions) -> Result<PutResponse, Error>;

    /// Deletes a key or a range of keys.
    ///
    /// # Errors
    /// The outcome of the error says whether the keys may have been deleted.
    async fn delete(&self, op: Delete, options: CallOptions) -> Result<DeleteResponse, Error>;

    /// Applies one of the two branches of a Txn.
    ///
    /// # Errors
    /// The outcome of the error says whether a branch may have been applied.
    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error>;

    /// Discards the history before a revision.
    ///
    /// # Errors
    /// The outcome of the error says whether the history may be gone.
    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error>;

    /// Reads a range as a stream of chunks, which members have from etcd 3.7 on.
    ///
    /// [`Get::pages`] uses it where it is there; a service that does not have it leaves this out.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) for a sort, a count or a filter by revision, which members ignore in a stream.
    /// [`Unsupported`](ErrorKind::Unsupported) where the service or the member has no such call, or has as many open as may be
    /// left unread: a get of the range, or its pages, then does the job. A stream that is under way may end with an error where
    /// members or users change meanwhile, since what it would go on from is not known; pages go on.
    async fn range_stream(&self, _op: Get, _options: CallOptions) -> Result<RangeStream, Error> {
        let error = Error::new(ErrorKind::Unsupported, "this service has no streamed ranges");
        Err(error.with_operation("get"))
    }
}
