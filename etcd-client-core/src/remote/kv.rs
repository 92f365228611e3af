//! The KV service over a channel or a caller-supplied service.

use async_trait::async_trait;
use etcd_errors::Error;

use super::{named, range_stream};
use crate::{
    mechanism::{grpc::frame, retry::Class},
    model::Revision,
    op::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, GetSpec, HistoryPin, Put,
        PutResponse, Txn, TxnResponse,
    },
    service::{CallOptions, Kv, RangeStream, Timeout},
    transport::{call::Call, caller::Caller, identity::superseded, method::Method},
    wire,
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
impl Kv for RemoteKv {
    async fn get(&self, op: Get, options: CallOptions) -> Result<GetResponse, Error> {
        named(Method::Range, op.validate(self.caller.channel().limits()))?;
        let call = Call::new(Method::Range, &options).serializable_if(op.spec().serializable);
        named(Method::Range, self.check_history(options.history()))?;
        let request = wire::get_request(op);
        let call = call.of_key(&request.key, &request.range_end);
        let response = self.caller.unary(call, &request, wire::get_response).await?;
        // Another history may have been accepted before the call was sent.
        named(Method::Range, self.check_history(options.history()))?;
        Ok(response)
    }

    async fn put(&self, op: Put, options: CallOptions) -> Result<PutResponse, Error> {
        named(Method::Put, op.validate(self.caller.channel().limits()))?;
        let request = wire::put_request(op);
        let call = Call::new(Method::Put, &options).of_key(&request.key, &[]);
        self.caller.unary(call, &request, wire::put_response).await
    }

    async fn delete(&self, op: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        named(Method::DeleteRange, op.validate(self.caller.channel().limits()))?;
        let request = wire::delete_request(op);
        let call = Call::new(Method::DeleteRange, &options).of_key(&request.key, &request.range_end);
        self.caller.unary(call, &request, wire::delete_response).await
    }

    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        named(Method::Txn, op.validate(self.caller.channel().limits()))?;
        let class = if op.is_read_only() { Class::Read } else { Class::Write };
        let call = Call::new(Method::Txn, &options).of_class(class).serializable_if(op.spec().may_be_stale());
        let (request, shape) = wire::txn_request(op, self.caller.channel().limits());
        self.caller.unary(call, &request, |response| wire::txn_response(response, &shape)).await
    }

    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        // A physical compaction responds once the store has been rewritten, which may take arbitrarily long.
        let unbounded = op.spec().physical && options.chosen_timeout() == Timeout::Default;
        let options = if unbounded { options.no_timeout() } else { options };
        named(Method::Compact, op.validate(self.caller.channel().limits()))?;
        let request = wire::compact_request(op);
        let call = Call::new(Method::Compact, &options);
        self.caller.unary(call, &request, wire::compact_response).await
    }

    async fn range_stream(&self, op: Get, options: CallOptions) -> Result<RangeStream, Error> {
        named(Method::RangeStream, op.validate(self.caller.channel().limits()))?;
        named(Method::RangeStream, check_streamable(op.spec()))?;
        let call = Call::new(Method::RangeStream, &options).serializable_if(op.spec().serializable);
        named(Method::RangeStream, self.check_history(options.history()))?;
        let request = wire::get_request(op);
        let stream = match &self.caller {
            Caller::Pool(channel) => range_stream::open(channel, call, frame::encode(&request)).await?,
            Caller::Service(service) => range_stream::through(service, call, &request).await?,
        };
        named(Method::RangeStream, self.check_history(options.history()))?;
        Ok(stream)
    }
}

/// Rejects options that a member ignores in a streamed range: it would return other pairs than requested.
fn check_streamable(get: &GetSpec) -> Result<(), Error> {
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
