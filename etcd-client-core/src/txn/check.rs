//! The rules for the contents of a Txn, checked in the order of etcd's `checkTxnRequest`.

use std::fmt;

use etcd_errors::Code;

use crate::{
    request::Limits,
    txn::{Op, Txn, duplicates, request::MAX_DEPTH, size},
    types::Invalid,
};

impl Txn {
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Invalid> {
        self.check_level(limits.max_txn_ops, 1)?;
        duplicates::check(self)?;
        let writes = !self.success.iter().chain(&self.failure).all(Op::is_read_only);
        size::check(limits, writes, size::of_txn(self), || size::txn_len(self, limits))
    }

    /// `budget` is the number of operations that the outer levels leave of the limit. Every level subtracts its
    /// widest list, as `checkTxnRequest` in server/etcdserver/api/v3rpc/key.go does.
    fn check_level(&self, budget: usize, level: usize) -> Result<(), Invalid> {
        if self.too_deep || level > MAX_DEPTH {
            return Err(Invalid::new("txn", format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        let lists = [
            ("compare", self.compares.len()),
            ("success", self.success.len()),
            ("failure", self.failure.len()),
        ];
        let (field, widest) = lists.into_iter().max_by_key(|(_, len)| *len).unwrap_or_default();
        let Some(left) = budget.checked_sub(widest) else {
            let items = if field == "compare" { "conditions" } else { "operations" };
            let nested = if level > 1 { ", because outer levels of the Txn use up max_txn_ops" } else { "" };
            let complaint = format!("has {widest} {items}; the limit is {budget}{nested}");
            return Err(Invalid::new(field, complaint).code(Code::TooManyOps));
        };
        for (index, compare) in self.compares.iter().enumerate() {
            compare.check().map_err(|invalid| invalid.within(Place("compare", index, "")))?;
        }
        check_branch("success", &self.success, left, level)?;
        check_branch("failure", &self.failure, left, level)
    }
}

fn check_branch(branch: &'static str, ops: &[Op], left: usize, level: usize) -> Result<(), Invalid> {
    for (index, op) in ops.iter().enumerate() {
        let (kind, checked) = match op {
            Op::Get(get) => (".get", get.check()),
            Op::Put(put) => (".put", put.check()),
            Op::Delete(delete) => (".delete", delete.check()),
            Op::Txn(txn) => (".txn", txn.check_level(left, level + 1)),
        };
        checked.map_err(|invalid| invalid.within(Place(branch, index, kind)))?;
    }
    Ok(())
}

/// The position of an operation, displayed as `success[2].put`.
pub(crate) struct Place(pub(crate) &'static str, pub(crate) usize, pub(crate) &'static str);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]{}", self.0, self.1, self.2)
    }
}
