//! The KV service in a namespace.

use async_trait::async_trait;
use etcd_errors::{Error, Outcome};

use crate::{
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        RangeStream,
    },
    namespace::Namespace,
    request::{CallOptions, Limits},
    txn::{Txn, TxnResponse},
};

/// No limits. The wrapped service checks sizes, because it knows the limits and sees the complete keys.
pub(crate) const NO_LIMITS: Limits = Limits {
    max_txn_ops: usize::MAX,
    max_request_bytes: usize::MAX,
    max_send_bytes: usize::MAX,
    max_receive_bytes: usize::MAX,
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: KvService> KvService for Namespace<S> {
    async fn get(&self, mut op: Get, options: CallOptions) -> Result<GetResponse, Error> {
        named("get", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_get(&mut op);
        let response = self.inner.get(op, options).await?;
        named("get", self.prefix.strip_get(response, Outcome::NotApplied))
    }

    async fn put(&self, mut op: Put, options: CallOptions) -> Result<PutResponse, Error> {
        named("put", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_put(&mut op);
        let response = self.inner.put(op, options).await?;
        named("put", self.prefix.strip_put(response))
    }

    async fn delete(&self, mut op: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        named("delete", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_delete(&mut op);
        let response = self.inner.delete(op, options).await?;
        named("delete", self.prefix.strip_delete(response))
    }

    async fn txn(&self, mut op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        named("txn", op.validate(&NO_LIMITS))?;
        let outcome = if op.is_read_only() { Outcome::NotApplied } else { Outcome::Unknown };
        self.prefix.add_to_txn(&mut op);
        let response = self.inner.txn(op, options).await?;
        named("txn", self.prefix.strip_txn(response, outcome))
    }

    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        self.inner.compact(op, options).await
    }

    async fn range_stream(&self, mut op: Get, options: CallOptions) -> Result<RangeStream, Error> {
        named("get", op.validate(&NO_LIMITS))?;
        self.prefix.add_to_get(&mut op);
        let chunks = self.inner.range_stream(op, options).await?;
        let unread = Some((chunks, self.prefix.clone()));
        Ok(RangeStream::from_state(unread, |unread| async {
            let (mut chunks, prefix) = unread?;
            let stripped = chunks.next().await?.and_then(|mut chunk| {
                named("get", prefix.strip_kvs(&mut chunk.kvs, Outcome::NotApplied))?;
                Ok(chunk)
            });
            let rest = stripped.is_ok().then_some((chunks, prefix));
            Some((stripped, rest))
        }))
    }
}

fn named<T>(operation: &'static str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(operation))
}
