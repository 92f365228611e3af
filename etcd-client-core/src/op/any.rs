//! Any operation on keys, and any answer to one: what a Txn is made of.

use etcd_errors::Error;

use super::{Delete, DeleteResponse, Get, GetResponse, Limits, Put, PutResponse, Txn, TxnResponse};
use crate::model::ResponseHeader;

/// Any operation that may stand in a Txn.
///
/// ```
/// use etcd_client_core::{Delete, Get, Op};
///
/// let ops: Vec<Op> = vec![Get::new("a").into(), Delete::new("b").into()];
/// assert!(ops[0].is_read_only());
/// assert!(!ops[1].is_read_only());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an operation does nothing until it is executed or part of a Txn"]
#[non_exhaustive]
pub enum Op {
    /// Reads.
    Get(Get),
    /// Writes.
    Put(Put),
    /// Deletes.
    Delete(Delete),
    /// A nested Txn, whose compares see what the operations before it did.
    Txn(Box<Txn>),
}

impl Op {
    /// Whether it changes nothing, whatever its compares say.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Get(_) => true,
            Self::Put(_) | Self::Delete(_) => false,
            Self::Txn(txn) => txn.is_read_only(),
        }
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Those of the operation inside.
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

/// The answer to an [`Op`], of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpResponse {
    /// What a [`Get`] read.
    Get(GetResponse),
    /// What a [`Put`] did.
    Put(PutResponse),
    /// What a [`Delete`] did.
    Delete(DeleteResponse),
    /// What a nested [`Txn`] did.
    Txn(TxnResponse),
}

impl OpResponse {
    /// Who answered, and at which revision. Inside a Txn the revision is that of the store when this
    /// operation ran.
    pub fn header(&self) -> &ResponseHeader {
        match self {
            Self::Get(response) => &response.header,
            Self::Put(response) => &response.header,
            Self::Delete(response) => &response.header,
            Self::Txn(response) => &response.header,
        }
    }

    /// The answer to a Get; `None` when it is of another kind.
    pub fn as_get(&self) -> Option<&GetResponse> {
        if let Self::Get(response) = self { Some(response) } else { None }
    }

    /// The answer to a Put; `None` when it is of another kind.
    pub fn as_put(&self) -> Option<&PutResponse> {
        if let Self::Put(response) = self { Some(response) } else { None }
    }

    /// The answer to a Delete; `None` when it is of another kind.
    pub fn as_delete(&self) -> Option<&DeleteResponse> {
        if let Self::Delete(response) = self { Some(response) } else { None }
    }

    /// The answer to a nested Txn; `None` when it is of another kind.
    pub fn as_txn(&self) -> Option<&TxnResponse> {
        if let Self::Txn(response) = self { Some(response) } else { None }
    }

    /// The answer to a Get, owned; `None` when it is of another kind.
    pub fn into_get(self) -> Option<GetResponse> {
        if let Self::Get(response) = self { Some(response) } else { None }
    }

    /// The answer to a Put, owned; `None` when it is of another kind.
    pub fn into_put(self) -> Option<PutResponse> {
        if let Self::Put(response) = self { Some(response) } else { None }
    }

    /// The answer to a Delete, owned; `None` when it is of another kind.
    pub fn into_delete(self) -> Option<DeleteResponse> {
        if let Self::Delete(response) = self { Some(response) } else { None }
    }

    /// The answer to a nested Txn, owned; `None` when it is of another kind.
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
