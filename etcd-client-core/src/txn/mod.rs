//! Transactions: comparisons, and the operations that are applied atomically if they hold or do not hold.
//!
//! [`Client::txn`](crate::Client::txn) starts a transaction. [`Txn::when`] adds comparisons ([`Compare`]), [`Txn::then`] and
//! [`Txn::or_else`] add the operations of the two branches. An operation ([`Op`]) is a get, a put, a delete or another
//! transaction. Comparisons that do not hold are not an error: [`TxnResponse::succeeded`] states which branch was applied.
//!
//! # Examples
//!
//! Compare-and-swap:
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::{Compare, Get, Put};
//!
//! let txn = client
//!     .txn()
//!     .when(Compare::value("config/limit").equal("10"))
//!     .then(Put::new("config/limit", "20"))
//!     .or_else(Get::new("config/limit"))
//!     .await?;
//! println!("swapped: {}", txn.succeeded());
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
mod arbitrary;
pub(crate) mod check;
pub(crate) mod codec;
pub(crate) mod compare;
pub(crate) mod duplicates;
pub(crate) mod execute;
pub(crate) mod into_ops;
pub(crate) mod linearize;
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
