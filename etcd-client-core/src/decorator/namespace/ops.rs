//! Prepends the prefix to the keys of operations. Operations are validated before, so that an empty key is rejected instead of becoming
//! the prefix.

use super::prefix::Prefix;
use crate::op::{DeleteSpec, GetSpec, Op, PutSpec, TxnSpec, WatchCreateSpec};

impl Prefix {
    pub(super) fn add_to_get(&self, get: &mut GetSpec) {
        self.add_range(&mut get.range);
    }

    pub(super) fn add_to_put(&self, put: &mut PutSpec) {
        put.key = self.add(put.key.as_bytes()).into();
    }

    pub(super) fn add_to_delete(&self, delete: &mut DeleteSpec) {
        self.add_range(&mut delete.range);
    }

    pub(super) fn add_to_watch(&self, watch: &mut WatchCreateSpec) {
        self.add_range(&mut watch.range);
    }

    /// Prepends the prefix in all branches. The recursion is bounded, because the nesting depth of the transaction was validated.
    pub(super) fn add_to_txn(&self, txn: &mut TxnSpec) {
        txn.compares_mut().iter_mut().for_each(|compare| self.add_range(compare.range_mut()));
        txn.success_mut().iter_mut().for_each(|op| self.add_to_op(op));
        txn.failure_mut().iter_mut().for_each(|op| self.add_to_op(op));
    }

    fn add_to_op(&self, op: &mut Op) {
        match op {
            Op::Get(get) => self.add_to_get(get.spec_mut()),
            Op::Put(put) => self.add_to_put(put.spec_mut()),
            Op::Delete(delete) => self.add_to_delete(delete.spec_mut()),
            Op::Txn(txn) => self.add_to_txn(txn.spec_mut()),
        }
    }
}
