//! The streamed read of etcd 3.7: one snapshot in chunks.

use etcd_proto::etcdserverpb::{RangeRequest, RangeResponse, RangeStreamResponse};
use etcd_proto::mvccpb::KeyValue;
use prost::Message as _;
use tonic::{Code, Status};

use super::{Caller, MAX_REQUEST_BYTES, Member};
use crate::line::Line;
use crate::store::{check_range, has_default_order, has_revision_filters};

/// The number of keys of the first chunk: `initialStreamChunkLimit` of `server/etcdserver/v3_server.go`.
const FIRST_CHUNK: usize = 10;

impl Member {
    /// Returns the chunks of a streamed read. Only the last one has a header, a count and `more`.
    pub(crate) fn range_stream(
        &mut self,
        caller: &Caller,
        request: &RangeRequest,
    ) -> Result<Vec<RangeStreamResponse>, Status> {
        if self.identity.line < Line::V3_7 {
            return Err(Status::unimplemented("unknown method RangeStream for service etcdserverpb.KV"));
        }
        check_range(request, self.identity.line)?;
        if !has_default_order(request) {
            return Err(Status::new(Code::Unimplemented, "RangeStream does not support custom sort orders"));
        }
        if has_revision_filters(request) {
            return Err(Status::new(Code::Unimplemented, "RangeStream does not support revision filters"));
        }
        let mut response = self.range(caller, request)?;
        let mut chunks = chunks(std::mem::take(&mut response.kvs));
        if let Some(last) = chunks.last_mut() {
            *last = RangeResponse { kvs: std::mem::take(&mut last.kvs), ..response };
        }
        Ok(chunks.into_iter().map(|chunk| RangeStreamResponse { range_response: Some(chunk) }).collect())
    }
}

/// Distributes `kvs` over chunks that double until they have about the size of the largest request. There is always one.
fn chunks(mut kvs: Vec<KeyValue>) -> Vec<RangeResponse> {
    let mut chunks = Vec::new();
    let mut limit = FIRST_CHUNK;
    loop {
        let rest = kvs.split_off(limit.min(kvs.len()));
        let chunk = RangeResponse { kvs, ..Default::default() };
        let size = chunk.encoded_len();
        chunks.push(chunk);
        if rest.is_empty() {
            return chunks;
        }
        if size < MAX_REQUEST_BYTES / 2 {
            limit *= 2;
        } else if size > MAX_REQUEST_BYTES * 2 {
            limit = (limit / 2).max(1);
        }
        kvs = rest;
    }
}
