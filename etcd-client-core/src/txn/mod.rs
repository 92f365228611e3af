//! Transactions: conditions and the operations that depend on them.

#[cfg(test)]
mod arbitrary;
pub(crate) mod check;
pub(crate) mod codec;
pub(crate) mod compare;
pub(crate) mod duplicates;
pub(crate) mod execute;
pub(crate) mod into_ops;
pub(crate) mod linearize;
pub(crate) mod measure;
pub(crate) mod op;
pub(crate) mod request;
pub(crate) mod size;
pub(crate) mod txn_shape;

pub use compare::{Compare, CompareOp, CompareOperand, CompareSubject};
pub use execute::execute;
pub use into_ops::{IntoCompares, IntoOps};
pub(crate) use linearize::{Branch, add_linearizing_range};
pub use op::{Op, OpResponse};
pub use request::{Txn, TxnResponse};
