//! Any operation on keys, and the response to it: the elements of a Txn.

use etcd_errors::Error;

use crate::{
    kv::{Delete, DeleteResponse, Get, GetResponse, Put, PutResponse},
    request::Limits,
    txn::{Txn, TxnResponse},
    types::ResponseHeader,
};

/// Any operation that can be part of a Txn.
///
/// # Examples
/// ```
/// use etcd_client_core::{Delete, Get};
/// use etcd_client_core::txn::Op;
///
/// let ops: Vec<Op> = vec![Get::new("a").into(), Delete::new("b").into()];
/// assert!(ops[0].is_read_only());
/// assert!(!ops[1].is_read_only());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "TxnOp")]
#[doc(alias = "RequestOp")]
#[must_use = "an operation does nothing until it is executed or part of a Txn"]
#[non_exhaustive]
pub enum Op {
    /// Reads keys.
    Get(Get),
    /// Writes a key.
    Put(Put),
    /// Deletes keys.
    Delete(Delete),
    /// A nested Txn. Its conditions see the effects of the operations before it.
    Txn(Box<Txn>),
}

impl Op {
    /// Returns whether the operation changes nothing, regardless of its conditions.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Get(_) => true,
            Self::Put(_) | Self::Delete(_) => false,
            Self::Txn(txn) => txn.is_read_only(),
        }
    }

    /// Validates the operation against `limits` without sending it.
    ///
    /// # Errors
    /// Returns the error of the operation inside.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        match self {
            Self::Get(get) => get.validate(limits),
            Self::Put(put) => put.validate(limits),
            Self::Delete(delete) => delete.validate(limits),
            Self::Txn(txn) => txn.validate(limits),
        }
    }
}

impl From<Get> for Op {
    fn from(get: Get) -> Self {
        Self::Get(get)
    }
}

impl From<Put> for Op {
    fn from(put: Put) -> Self {
        Self::Put(put)
    }
}

impl From<Delete> for Op {
    fn from(delete: Delete) -> Self {
        Self::Delete(delete)
    }
}

impl From<Txn> for Op {
    fn from(txn: Txn) -> Self {
        Self::Txn(Box::new(txn))
    }
}

/// The response to an [`Op`], of the same kind.
#[doc(alias = "TxnOpResponse")]
#[doc(alias = "ResponseOp")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpResponse {
    /// The response to a [`Get`].
    Get(GetResponse),
    /// The response to a [`Put`].
    Put(PutResponse),
    /// The response to a [`Delete`].
    Delete(DeleteResponse),
    /// The response to a nested [`Txn`].
    Txn(TxnResponse),
}

impl OpResponse {
    /// Returns the header of the response. Inside of a Txn, its revision is the revision of the store when this
    /// operation ran.
    pub fn header(&self) -> &ResponseHeader {
        match self {
            Self::Get(response) => &response.header,
            Self::Put(response) => &response.header,
            Self::Delete(response) => &response.header,
            Self::Txn(response) => &response.header,
        }
    }

    /// Returns the response to a Get, or `None` if it is of another kind.
    pub fn as_get(&self) -> Option<&GetResponse> {
        if let Self::Get(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a Put, or `None` if it is of another kind.
    pub fn as_put(&self) -> Option<&PutResponse> {
        if let Self::Put(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a Delete, or `None` if it is of another kind.
    pub fn as_delete(&self) -> Option<&DeleteResponse> {
        if let Self::Delete(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a nested Txn, or `None` if it is of another kind.
    pub fn as_txn(&self) -> Option<&TxnResponse> {
        if let Self::Txn(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a Get, owned, or `None` if it is of another kind.
    pub fn into_get(self) -> Option<GetResponse> {
        if let Self::Get(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a Put, owned, or `None` if it is of another kind.
    pub fn into_put(self) -> Option<PutResponse> {
        if let Self::Put(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a Delete, owned, or `None` if it is of another kind.
    pub fn into_delete(self) -> Option<DeleteResponse> {
        if let Self::Delete(response) = self { Some(response) } else { None }
    }

    /// Returns the response to a nested Txn, owned, or `None` if it is of another kind.
    pub fn into_txn(self) -> Option<TxnResponse> {
        if let Self::Txn(response) = self { Some(response) } else { None }
    }
}

impl From<GetResponse> for OpResponse {
    fn from(response: GetResponse) -> Self {
        Self::Get(response)
    }
}

impl From<PutResponse> for OpResponse {
    fn from(response: PutResponse) -> Self {
        Self::Put(response)
    }
}

impl From<DeleteResponse> for OpResponse {
    fn from(response: DeleteResponse) -> Self {
        Self::Delete(response)
    }
}

impl From<TxnResponse> for OpResponse {
    fn from(response: TxnResponse) -> Self {
        Self::Txn(response)
    }
}
