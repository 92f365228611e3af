//! Transactions, with nested ones.
//!
//! All conditions, those of nested transactions too, are evaluated before the first operation. Then the operations of
//! the chosen branches are checked, and only then is anything written: a transaction fails as a whole or not at all.

use etcd_proto::etcdserverpb::request_op::Request;
use etcd_proto::etcdserverpb::response_op::Response;
use etcd_proto::etcdserverpb::{PutRequest, RangeRequest, RequestOp, ResponseOp, TxnRequest, TxnResponse};

use super::write::{check_lease, check_previous};
use super::{Store, Write, bare_header};
use crate::lease::Leases;
use crate::line::Line;
use crate::rejection::{COMPACTED, FUTURE_REVISION, Rejection};

/// Returns whether a transaction consists of reads only. A nested transaction counts as a write, as in etcd.
pub(crate) fn is_read_only(request: &TxnRequest) -> bool {
    let is_range = |op: &RequestOp| matches!(op.request, Some(Request::RequestRange(_)));
    request.success.iter().all(is_range) && request.failure.iter().all(is_range)
}

/// Returns whether a branch of a transaction, or of one nested in it, has a put.
pub(crate) fn puts(request: &TxnRequest) -> bool {
    request.success.iter().chain(&request.failure).any(|op| match &op.request {
        Some(Request::RequestPut(_)) => true,
        Some(Request::RequestTxn(txn)) => puts(txn),
        _ => false,
    })
}

/// A transaction whose conditions are evaluated.
#[derive(Debug)]
struct Decided<'a> {
    succeeded: bool,
    ops: &'a [RequestOp],
    /// The nested transactions of `ops`, in order.
    nested: Vec<Self>,
}

impl<'a> Decided<'a> {
    fn of(store: &Store, request: &'a TxnRequest) -> Self {
        let succeeded = request.compare.iter().all(|compare| store.meets(compare));
        let ops = if succeeded { &request.success } else { &request.failure };
        let nested = ops.iter().filter_map(|op| match &op.request {
            Some(Request::RequestTxn(txn)) => Some(Self::of(store, txn)),
            _ => None,
        });
        Self { succeeded, ops, nested: nested.collect() }
    }

    /// Calls `check` with each operation that will be executed, in order.
    fn try_each(&self, check: &mut impl FnMut(&Request) -> Result<(), Rejection>) -> Result<(), Rejection> {
        let mut nested = self.nested.iter();
        for request in self.ops.iter().filter_map(|op| op.request.as_ref()) {
            match request {
                Request::RequestTxn(_) => nested.next().map_or(Ok(()), |txn| txn.try_each(check))?,
                other => check(other)?,
            }
        }
        Ok(())
    }

    /// Checks the operations that will be executed: in order since 3.6, and all puts before all reads on older lines.
    fn check(&self, store: &Store, leases: &Leases, line: Line) -> Result<(), Rejection> {
        let check = |puts: bool, reads: bool| {
            self.try_each(&mut |request| match request {
                Request::RequestRange(range) if reads => check_revision(store, range),
                Request::RequestPut(put) if puts => check_put(store, leases, put, line),
                _ => Ok(()),
            })
        };
        if line >= Line::V3_6 {
            check(true, true)
        } else {
            check(true, false).and_then(|()| check(false, true))
        }
    }
}

/// Checks a put in a transaction: first its lease since 3.7, and last on older lines.
fn check_put(store: &Store, leases: &Leases, put: &PutRequest, line: Line) -> Result<(), Rejection> {
    if line >= Line::V3_7 {
        check_lease(leases, put)?;
    }
    check_previous(store, put)?;
    check_lease(leases, put)
}

/// Checks the revision of a read in a transaction, which may not be negative once there was a compaction.
fn check_revision(store: &Store, range: &RangeRequest) -> Result<(), Rejection> {
    match range.revision {
        0 => Ok(()),
        revision if revision > store.revision() => Err(FUTURE_REVISION),
        revision if revision < store.compacted() => Err(COMPACTED),
        _ => Ok(()),
    }
}

impl Write<'_> {
    /// Executes a transaction.
    pub(crate) fn txn(&mut self, request: &TxnRequest, line: Line) -> Result<TxnResponse, Rejection> {
        let decided = Decided::of(self.store, request);
        decided.check(self.store, self.leases, line)?;
        let mut response = self.execute(&decided, line)?;
        response.header = Some(bare_header(self.current()));
        Ok(response)
    }

    /// Executes the chosen branch. A nested response has an empty header.
    fn execute(&mut self, decided: &Decided<'_>, line: Line) -> Result<TxnResponse, Rejection> {
        let mut nested = decided.nested.iter();
        let mut responses = Vec::with_capacity(decided.ops.len());
        for request in decided.ops.iter().filter_map(|op| op.request.as_ref()) {
            let response = match request {
                Request::RequestRange(range) => {
                    Response::ResponseRange(self.store.range(range, self.current(), line)?)
                }
                Request::RequestPut(put) => Response::ResponsePut(self.put(put)),
                Request::RequestDeleteRange(delete) => Response::ResponseDeleteRange(self.delete(delete)),
                Request::RequestTxn(_) => match nested.next() {
                    Some(txn) => Response::ResponseTxn(self.execute(txn, line)?),
                    None => continue,
                },
            };
            responses.push(ResponseOp { response: Some(response) });
        }
        Ok(TxnResponse { header: Some(bare_header(0)), succeeded: decided.succeeded, responses })
    }
}
