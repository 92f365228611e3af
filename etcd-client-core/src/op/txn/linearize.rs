//! A Txn that only checks must not be answered from a stale member.
//!
//! A server answers a Txn from its own state when both branches hold nothing but serializable Gets, or nothing
//! at all (`IsTxnSerializable` in server/etcdserver/txn/txn.go): its conditions may then hold for a time long
//! past. One linearizable range in either branch makes the server ask the leader first.

use super::TxnSpec;
use crate::op::{Get, KeyRange, Op};

/// One of the two lists of operations of a Txn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Branch {
    Success,
    Failure,
}

/// Appends a linearizable count of the first compare's key where the Txn needs one, and says to which branch.
/// The compare already needs the permission to read that key. With no room in either branch, which only the
/// largest Txns lack, an existing Get is made linearizable instead.
pub(crate) fn add_linearizing_range(txn: &mut TxnSpec, max_txn_ops: usize) -> Option<Branch> {
    let Some(first) = txn.compares.first() else {
        return None;
    };
    if txn.serializable || !txn.success.iter().chain(&txn.failure).all(is_serializable_get) {
        return None;
    }
    let (key, _) = first.range().bounds();
    let count = Op::Get(Get::from_range(KeyRange::one(key)).count_only());
    if txn.success.len() < max_txn_ops {
        txn.success.push(count);
        Some(Branch::Success)
    } else if txn.failure.len() < max_txn_ops {
        txn.failure.push(count);
        Some(Branch::Failure)
    } else {
        if let Some(Op::Get(get)) = txn.success.first_mut() {
            get.spec_mut().serializable = false;
        }
        None
    }
}

fn is_serializable_get(op: &Op) -> bool {
    matches!(op, Op::Get(get) if get.spec().serializable)
}
