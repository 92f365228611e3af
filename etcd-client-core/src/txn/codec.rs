//! Conversions for transactions.

use etcd_errors::Error;
use etcd_proto::{
    etcdserverpb as pb,
    etcdserverpb::{
        compare::{CompareResult, CompareTarget, TargetUnion},
        request_op::Request,
        response_op::Response,
    },
};

use crate::{
    kv::codec::{
        delete_message, delete_response_with, get_response_with, put_message, put_response_with,
        range_request,
    },
    request::{
        Limits,
        header::{Effect, answers, nested, protocol, required},
    },
    txn::{
        Compare, CompareOp, CompareOperand, Op, OpResponse, Txn, TxnResponse, add_linearizing_range,
        txn_shape::{OpShape, TxnShape},
    },
    types::{LeaseId, ResponseHeader},
};

answers!(pb: TxnResponse);

/// Encodes the transaction, with the range that linearizes a check if it needs one. Also returns the expected form of
/// the response.
pub(crate) fn txn_request(txn: Txn, limits: &Limits) -> (pb::TxnRequest, TxnShape) {
    let mut txn = txn;
    let hidden = add_linearizing_range(&mut txn, limits.max_txn_ops);
    let shape = TxnShape::of(&txn, hidden);
    (txn_message(txn), shape)
}

pub(crate) fn txn_message(txn: Txn) -> pb::TxnRequest {
    let (compares, success, failure) = txn.into_parts();
    pb::TxnRequest {
        compare: compares.into_iter().map(compare).collect(),
        success: success.into_iter().map(request_op).collect(),
        failure: failure.into_iter().map(request_op).collect(),
    }
}

fn request_op(op: Op) -> pb::RequestOp {
    let request = match op {
        Op::Get(get) => Request::RequestRange(range_request(&get)),
        Op::Put(put) => Request::RequestPut(put_message(put)),
        Op::Delete(delete) => Request::RequestDeleteRange(delete_message(&delete)),
        Op::Txn(txn) => Request::RequestTxn(txn_message(*txn)),
    };
    pb::RequestOp { request: Some(request) }
}

fn compare(compare: Compare) -> pb::Compare {
    let (range, op, operand) = compare.into_parts();
    let (key, range_end) = range.bounds();
    let result = match op {
        CompareOp::Equal => CompareResult::Equal,
        CompareOp::NotEqual => CompareResult::NotEqual,
        CompareOp::Greater => CompareResult::Greater,
        CompareOp::Less => CompareResult::Less,
    };
    let (target, operand) = match operand {
        CompareOperand::Value(value) => (CompareTarget::Value, TargetUnion::Value(value.into())),
        CompareOperand::Version(version) => (CompareTarget::Version, TargetUnion::Version(version.get())),
        CompareOperand::CreateRevision(revision) => {
            (CompareTarget::Create, TargetUnion::CreateRevision(revision.get()))
        }
        CompareOperand::ModRevision(revision) => {
            (CompareTarget::Mod, TargetUnion::ModRevision(revision.get()))
        }
        CompareOperand::Lease(id) => (CompareTarget::Lease, TargetUnion::Lease(id.map_or(0, LeaseId::get))),
    };
    pb::Compare { result: result.into(), target: target.into(), key, range_end, target_union: Some(operand) }
}

/// Converts the response, without the results of operations that the client added.
pub(crate) fn txn_response(response: pb::TxnResponse, shape: &TxnShape) -> Result<TxnResponse, Error> {
    let header = required(response.header, shape.effect)?;
    let mut response = txn_response_with(header, response, shape, shape.effect)?;
    if shape.hides_last(response.succeeded) {
        response.responses.pop();
    }
    Ok(response)
}

/// Converts the response of a transaction at any depth. `effect` is that of the outermost transaction: an invalid
/// part anywhere leaves the outcome of the whole transaction unknown.
fn txn_response_with(
    header: ResponseHeader,
    response: pb::TxnResponse,
    shape: &TxnShape,
    effect: Effect,
) -> Result<TxnResponse, Error> {
    let ops = shape.branch(response.succeeded);
    if response.responses.len() != ops.len() {
        return Err(protocol(
            "the response does not have one result for each operation of the transaction",
            effect,
        ));
    }
    let results = response.responses.into_iter().zip(ops);
    let responses: Result<_, Error> =
        results.map(|(result, op)| op_response(header, result, op, effect)).collect();
    Ok(TxnResponse::new(header, response.succeeded, responses?))
}

fn op_response(
    outer: ResponseHeader,
    response: pb::ResponseOp,
    shape: &OpShape,
    effect: Effect,
) -> Result<OpResponse, Error> {
    Ok(match (response.response, shape) {
        (Some(Response::ResponseRange(get)), OpShape::Get) => {
            OpResponse::Get(get_response_with(nested(get.header, outer), get))
        }
        (Some(Response::ResponsePut(put)), OpShape::Put) => {
            OpResponse::Put(put_response_with(nested(put.header, outer), put))
        }
        (Some(Response::ResponseDeleteRange(delete)), OpShape::Delete) => {
            OpResponse::Delete(delete_response_with(nested(delete.header, outer), delete))
        }
        (Some(Response::ResponseTxn(txn)), OpShape::Txn(shape)) => {
            let header = nested(txn.header, outer);
            OpResponse::Txn(txn_response_with(header, txn, shape, effect)?)
        }
        _ => {
            return Err(protocol(
                "a result in the response is of a different kind than its operation",
                effect,
            ));
        }
    })
}
