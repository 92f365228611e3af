//! The KV service of a leasing handle.

use std::sync::Arc;

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind, Outcome};
use tokio::sync::oneshot;

use crate::{
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        RangeStream,
    },
    leasing::{
        Leasing,
        deadline::CallDeadline,
        ownership,
        shared::Shared,
        state::{
            Read,
            evaluate::{is_cacheable, respond},
        },
        write::write,
    },
    request::{CallOptions, Limits},
    txn::{Op, Txn, TxnResponse},
    types::ResponseHeader,
};

/// No limits. The wrapped service checks sizes, because it knows the limits.
const NO_LIMITS: Limits = Limits {
    max_txn_ops: usize::MAX,
    max_request_bytes: usize::MAX,
    max_send_bytes: usize::MAX,
    max_receive_bytes: usize::MAX,
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the ownerships")]
#[async_trait]
impl KvService for Leasing {
    async fn get(&self, op: Get, options: CallOptions) -> Result<GetResponse, Error> {
        named("get", op.validate(&NO_LIMITS))?;
        let shared = self.shared();
        // A call to a certain member is about that member.
        if !is_cacheable(&op) || options.endpoint.is_some() {
            return shared.kv.get(op, options).await;
        }
        let call = CallDeadline::start(options, shared.patience);
        if let Read::Cached(response) = named("get", shared.read(&op, &call).await)? {
            return Ok(response);
        }
        if !op.serializable
            && let Some(response) = acquire(shared, &op, &call).await
        {
            return Ok(response);
        }
        shared.kv.get(op, call.options()).await
    }

    async fn put(&self, op: Put, options: CallOptions) -> Result<PutResponse, Error> {
        named("put", op.validate(&NO_LIMITS))?;
        let (header, response) = named("put", self.write(op.into(), options).await)?;
        let mut response = response.into_put().ok_or_else(|| mismatch("put"))?;
        response.header = header;
        Ok(response)
    }

    async fn delete(&self, op: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        named("delete", op.validate(&NO_LIMITS))?;
        let (header, response) = named("delete", self.write(op.into(), options).await)?;
        let mut response = response.into_delete().ok_or_else(|| mismatch("delete"))?;
        response.header = header;
        Ok(response)
    }

    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        named("txn", op.validate(&NO_LIMITS))?;
        let shared = self.shared();
        if op.is_read_only() {
            let cached =
                shared.with_state(|state, now, deadline| state.evaluate(&op, now.into(), deadline.into()));
            if let Some(response) = cached.filter(|_| options.endpoint.is_none()) {
                shared.count_cached_read();
                return Ok(response);
            }
            return shared.kv.txn(op, options).await;
        }
        let (header, response) = named("txn", self.write(op.into(), options).await)?;
        let mut response = response.into_txn().ok_or_else(|| mismatch("txn"))?;
        response.header = header;
        Ok(response)
    }

    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        self.shared().kv.compact(op, options).await
    }

    async fn range_stream(&self, op: Get, options: CallOptions) -> Result<RangeStream, Error> {
        self.shared().kv.range_stream(op, options).await
    }
}

impl Leasing {
    async fn write(
        &self,
        op: Op,
        options: CallOptions,
    ) -> Result<(ResponseHeader, crate::txn::OpResponse), Error> {
        let shared = self.shared();
        let call = CallDeadline::start(options, shared.patience);
        write(shared, op, &call).await
    }
}

/// Acquires the key of a get and returns what the attempt read. Returns `None` if the key is not to be acquired now, or
/// if the attempt failed: the get is then sent as it is.
async fn acquire(shared: &Arc<Shared>, get: &Get, call: &CallDeadline) -> Option<GetResponse> {
    let key = get.range.key();
    let begun =
        shared.with_state(|state, now, deadline| state.begin_acquire(key, now.into(), deadline.into()));
    let (read, received) = oneshot::channel();
    let job = ownership::acquire(Arc::clone(shared), key.clone(), begun?, call.write_options(), read);
    shared.start(job);
    let current = received.await.ok()?;
    Some(respond(get, current.header, current.kv.as_ref()))
}

fn named<T>(operation: &'static str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.with_operation(operation))
}

fn mismatch(operation: &'static str) -> Error {
    let error = Error::new(ErrorKind::Protocol, "the response is of another kind than the operation");
    error.with_outcome(Outcome::Unknown).with_operation(operation)
}
