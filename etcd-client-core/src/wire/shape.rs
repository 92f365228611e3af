//! What the answer to a Txn has to look like: remembered when the request is built, held against the answer.

use super::header::Effect;
use crate::op::{Branch, Op, TxnSpec};

/// The kinds of the operations of a Txn, and which of its answers the caller did not ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TxnShape {
    success: Vec<OpShape>,
    failure: Vec<OpShape>,
    /// The branch whose last operation the client added.
    hidden: Option<Branch>,
    pub(super) effect: Effect,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OpShape {
    Get,
    Put,
    Delete,
    Txn(TxnShape),
}

impl TxnShape {
    pub(super) fn of(txn: &TxnSpec, hidden: Option<Branch>) -> Self {
        let reads = txn.success().iter().chain(txn.failure()).all(Op::is_read_only);
        Self {
            success: shapes(txn.success()),
            failure: shapes(txn.failure()),
            hidden,
            effect: if reads { Effect::Reads } else { Effect::Writes },
        }
    }

    pub(super) fn branch(&self, succeeded: bool) -> &[OpShape] {
        if succeeded { &self.success } else { &self.failure }
    }

    /// Whether the last answer of this branch is one the caller did not ask for.
    pub(super) fn hides_last(&self, succeeded: bool) -> bool {
        self.hidden == Some(if succeeded { Branch::Success } else { Branch::Failure })
    }
}

fn shapes(ops: &[Op]) -> Vec<OpShape> {
    let shape = |op: &Op| match op {
        Op::Get(_) => OpShape::Get,
        Op::Put(_) => OpShape::Put,
        Op::Delete(_) => OpShape::Delete,
        Op::Txn(txn) => OpShape::Txn(TxnShape::of(txn.spec(), None)),
    };
    ops.iter().map(shape).collect()
}
