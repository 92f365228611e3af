//! Execution of any operation on a `Kv` service.

use etcd_errors::Error;

use crate::{
    kv::KvService,
    request::CallOptions,
    txn::{Op, OpResponse},
};

/// Executes an operation whose kind is known only at run time. The response is of the same kind.
///
/// # Errors
/// Returns the error of the service.
///
/// # Cancel safety
/// Dropping the future has the same effect as for the operation itself.
///
/// # Examples
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::{CallOptions, Get, Put};
/// use etcd_client_core::txn::{Op, execute};
///
/// let ops: Vec<Op> = vec![Put::new("k", "v").into(), Get::new("k").into()];
/// for op in ops {
///     let response = execute(&client, op, CallOptions::default()).await?;
///     println!("revision {}", response.header().revision);
/// }
/// # Ok(())
/// # }
/// ```
pub async fn execute(
    kv: &dyn KvService,
    op: impl Into<Op>,
    options: CallOptions,
) -> Result<OpResponse, Error> {
    execute_op(kv, op.into(), options).await
}

async fn execute_op(kv: &dyn KvService, op: Op, options: CallOptions) -> Result<OpResponse, Error> {
    Ok(match op {
        Op::Get(get) => OpResponse::Get(kv.get(get, options).await?),
        Op::Put(put) => OpResponse::Put(kv.put(put, options).await?),
        Op::Delete(delete) => OpResponse::Delete(kv.delete(delete, options).await?),
        Op::Txn(txn) => OpResponse::Txn(kv.txn(*txn, options).await?),
    })
}
