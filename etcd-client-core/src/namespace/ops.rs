//! Prepends the prefix to the keys of operations. Operations are validated before, so that an empty key is rejected instead of becoming
//! the prefix.

use crate::{
    kv::{Delete, Get, Put},
    namespace::prefix::Prefix,
    txn::{Op, Txn},
    watch::Watch,
};

impl Prefix {
    pub(crate) fn add_to_get(&self, get: &mut Get) {
        self.add_range(&mut get.range);
    }

    pub(crate) fn add_to_put(&self, put: &mut Put) {
        put.key = self.add(put.key.as_bytes()).into();
    }

    pub(crate) fn add_to_delete(&self, delete: &mut Delete) {
        self.add_range(&mut delete.range);
    }

    pub(crate) fn add_to_watch(&self, watch: &mut Watch) {
        self.add_range(&mut watch.range);
    }

    /// Prepends the prefix in all branches. The recursion is bounded, because the nesting depth of the transaction was validated.
    pub(crate) fn add_to_txn(&self, txn: &mut Txn) {
        txn.compares_mut().iter_mut().for_each(|compare| self.add_range(compare.range_mut()));
        txn.success_mut().iter_mut().for_each(|op| self.add_to_op(op));
        txn.failure_mut().iter_mut().for_each(|op| self.add_to_op(op));
    }

    fn add_to_op(&self, op: &mut Op) {
        match op {
            Op::Get(get) => self.add_to_get(get),
            Op::Put(put) => self.add_to_put(put),
            Op::Delete(delete) => self.add_to_delete(delete),
            Op::Txn(txn) => self.add_to_txn(txn),
        }
    }
}
