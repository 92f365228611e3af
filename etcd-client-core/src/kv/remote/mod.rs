//! The KV service over a channel or a caller-supplied service.

pub(crate) mod range_stream;

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, KvService, Put, PutResponse,
        RangeStream,
    },
    request::{CallOptions, HistoryPin, Timeout},
    transport::{
        call::unary::Call,
        caller::Caller,
        connection::identity::superseded,
        grpc::{
            frame,
            method::{Method, with_operation},
            observation::Class,
        },
    },
    txn::{Txn, TxnResponse},
    types::Revision,
};

/// The KV service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteKv {
    caller: Caller,
}

impl RemoteKv {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// Fails if another history was accepted since the first get with this pin.
    fn check_history(&self, pin: &HistoryPin) -> Result<(), Error> {
        let history = self.caller.channel().history();
        if pin.holds(history.number()) { Ok(()) } else { Err(superseded(&history)) }
    }
}

#[async_trait]
impl KvService for RemoteKv {
    async fn get(&self, op: Get, options: CallOptions) -> Result<GetResponse, Error> {
        with_operation(Method::Range, op.validate(self.caller.channel().limits()))?;
        let call = Call::new(Method::Range, &options).serializable_if(op.serializable);
        with_operation(Method::Range, self.check_history(options.history()))?;
        let request = crate::kv::codec::get_request(op);
        let call = call.of_key(&request.key, &request.range_end);
        let response = self.caller.unary(call, &request, crate::kv::codec::get_response).await?;
        // Another history may have been accepted before the call was sent.
        with_operation(Method::Range, self.check_history(options.history()))?;
        Ok(response)
    }

    async fn put(&self, op: Put, options: CallOptions) -> Result<PutResponse, Error> {
        with_operation(Method::Put, op.validate(self.caller.channel().limits()))?;
        let request = crate::kv::codec::put_request(op);
        let call = Call::new(Method::Put, &options).of_key(&request.key, &[]);
        self.caller.unary(call, &request, crate::kv::codec::put_response).await
    }

    async fn delete(&self, op: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        with_operation(Method::DeleteRange, op.validate(self.caller.channel().limits()))?;
        let request = crate::kv::codec::delete_request(op);
        let call = Call::new(Method::DeleteRange, &options).of_key(&request.key, &request.range_end);
        self.caller.unary(call, &request, crate::kv::codec::delete_response).await
    }

    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        with_operation(Method::Txn, op.validate(self.caller.channel().limits()))?;
        let class = if op.is_read_only() { Class::Read } else { Class::Write };
        let call = Call::new(Method::Txn, &options).of_class(class).serializable_if(op.may_be_stale());
        let (request, shape) = crate::txn::codec::txn_request(op, self.caller.channel().limits());
        self.caller.unary(call, &request, |response| crate::txn::codec::txn_response(response, &shape)).await
    }

    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        // A physical compaction responds once the store has been rewritten, which may take arbitrarily long.
        let unbounded = op.physical && options.timeout == Timeout::Default;
        let options = if unbounded { options.no_timeout() } else { options };
        with_operation(Method::Compact, op.validate())?;
        let request = crate::kv::codec::compact_request(op);
        let call = Call::new(Method::Compact, &options);
        self.caller.unary(call, &request, crate::kv::codec::compact_response).await
    }

    async fn range_stream(&self, op: Get, options: CallOptions) -> Result<RangeStream, Error> {
        with_operation(Method::RangeStream, op.validate(self.caller.channel().limits()))?;
        with_operation(Method::RangeStream, check_streamable(&op))?;
        let call = Call::new(Method::RangeStream, &options).serializable_if(op.serializable);
        with_operation(Method::RangeStream, self.check_history(options.history()))?;
        let request = crate::kv::codec::get_request(op);
        let stream = match &self.caller {
            Caller::Pool(channel) => range_stream::open(channel, call, frame::encode(&request)).await?,
            Caller::Service(service) => range_stream::through(service, call, &request).await?,
        };
        with_operation(Method::RangeStream, self.check_history(options.history()))?;
        Ok(stream)
    }
}

/// Rejects options that a member ignores in a streamed range: it would return other pairs than requested.
fn check_streamable(get: &Get) -> Result<(), Error> {
    let filtered = |revision: Revision| revision != Revision::ZERO;
    let ignored = [
        ("sort", get.sort.is_some()),
        ("count_only", get.count_only),
        ("min_mod_revision", filtered(get.min_mod_revision)),
        ("max_mod_revision", filtered(get.max_mod_revision)),
        ("min_create_revision", filtered(get.min_create_revision)),
        ("max_create_revision", filtered(get.max_create_revision)),
    ];
    match ignored.into_iter().find(|(_, set)| *set) {
        Some((field, _)) => {
            let why = "a streamed range is unfiltered and in key order; use get() or pages()";
            Err(Error::invalid_request(field, format!("{field} is not supported: {why}")))
        }
        None => Ok(()),
    }
}
