//! The expected form of a transaction's response, recorded when the request is built.

use crate::{
    request::header::Effect,
    txn::{Branch, Op, Txn},
};

/// The kinds of a transaction's operations, and the operation that the client added itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TxnShape {
    success: Vec<OpShape>,
    failure: Vec<OpShape>,
    /// The branch whose last operation was added by the client.
    hidden: Option<Branch>,
    pub(crate) effect: Effect,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OpShape {
    Get,
    Put,
    Delete,
    Txn(TxnShape),
}

impl TxnShape {
    pub(crate) fn of(txn: &Txn, hidden: Option<Branch>) -> Self {
        let reads = txn.success().iter().chain(txn.failure()).all(Op::is_read_only);
        Self {
            success: shapes(txn.success()),
            failure: shapes(txn.failure()),
            hidden,
            effect: if reads { Effect::Reads } else { Effect::Writes },
        }
    }

    pub(crate) fn branch(&self, succeeded: bool) -> &[OpShape] {
        if succeeded { &self.success } else { &self.failure }
    }

    /// Returns true if the last response of this branch belongs to an operation that the client added.
    pub(crate) fn hides_last(&self, succeeded: bool) -> bool {
        self.hidden == Some(if succeeded { Branch::Success } else { Branch::Failure })
    }
}

fn shapes(ops: &[Op]) -> Vec<OpShape> {
    let shape = |op: &Op| match op {
        Op::Get(_) => OpShape::Get,
        Op::Put(_) => OpShape::Put,
        Op::Delete(_) => OpShape::Delete,
        Op::Txn(txn) => OpShape::Txn(TxnShape::of(txn, None)),
    };
    ops.iter().map(shape).collect()
}
