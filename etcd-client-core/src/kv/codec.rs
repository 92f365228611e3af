//! Conversions for gets, puts, deletes and compactions.

use etcd_errors::Error;
use etcd_proto::{etcdserverpb as pb, etcdserverpb::range_request, mvccpb};

use crate::{
    kv::{
        Compact, CompactResponse, Delete, DeleteResponse, Get, GetResponse, Put, PutResponse, RangeChunk,
        SortOrder, SortTarget,
    },
    request::header::{Effect, answers, required},
    types::{KeyValue, LeaseId, ResponseHeader, Revision, Version},
};

answers!(pb: RangeResponse, PutResponse, DeleteRangeResponse, CompactionResponse);

pub(crate) fn get_request(get: Get) -> pb::RangeRequest {
    range_request(&get)
}

pub(crate) fn range_request(get: &Get) -> pb::RangeRequest {
    let (key, range_end) = get.range.bounds();
    let (sort_target, sort_order) = sort(get.sort);
    pb::RangeRequest {
        key,
        range_end,
        limit: get.limit,
        revision: get.revision.get(),
        sort_order: sort_order.into(),
        sort_target: sort_target.into(),
        serializable: get.serializable,
        keys_only: get.keys_only,
        count_only: get.count_only,
        min_mod_revision: get.min_mod_revision.get(),
        max_mod_revision: get.max_mod_revision.get(),
        min_create_revision: get.min_create_revision.get(),
        max_create_revision: get.max_create_revision.get(),
    }
}

/// Encodes the sort order. An ascending sort by key is omitted: servers return keys in that order anyway, and an
/// explicit request makes them sort a second time (`WithSort` in etcd's `client/v3/op.go`).
fn sort(sort: Option<(SortTarget, SortOrder)>) -> (range_request::SortTarget, range_request::SortOrder) {
    let (target, order) = match sort {
        None | Some((SortTarget::Key, SortOrder::Ascend)) => return Default::default(),
        Some(sort) => sort,
    };
    let target = match target {
        SortTarget::Key => range_request::SortTarget::Key,
        SortTarget::Version => range_request::SortTarget::Version,
        SortTarget::CreateRevision => range_request::SortTarget::Create,
        SortTarget::ModRevision => range_request::SortTarget::Mod,
        SortTarget::Value => range_request::SortTarget::Value,
    };
    let order = match order {
        SortOrder::Ascend => range_request::SortOrder::Ascend,
        SortOrder::Descend => range_request::SortOrder::Descend,
    };
    (target, order)
}

pub(crate) fn get_response(response: pb::RangeResponse) -> Result<GetResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    Ok(get_response_with(header, response))
}

pub(crate) fn get_response_with(header: ResponseHeader, response: pb::RangeResponse) -> GetResponse {
    GetResponse::new(header, key_values(response.kvs))
        .with_more(response.more)
        .with_count(count(response.count))
}

/// Decodes the pairs of one message of a streamed range. The other fields are known from the request.
pub(crate) fn range_chunk(chunk: pb::RangeStreamResponse) -> RangeChunk {
    RangeChunk::new(chunk.range_response.map(|range| key_values(range.kvs)).unwrap_or_default())
}

pub(crate) fn put_request(put: Put) -> pb::PutRequest {
    put_message(put)
}

pub(crate) fn put_message(put: Put) -> pb::PutRequest {
    pb::PutRequest {
        key: put.key.into(),
        value: put.value.into(),
        lease: put.lease.map_or(0, LeaseId::get),
        prev_kv: put.prev_kv,
        ignore_value: put.ignore_value,
        ignore_lease: put.ignore_lease,
    }
}

pub(crate) fn put_response(response: pb::PutResponse) -> Result<PutResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    Ok(put_response_with(header, response))
}

pub(crate) fn put_response_with(header: ResponseHeader, response: pb::PutResponse) -> PutResponse {
    PutResponse::new(header).with_prev_kv(response.prev_kv.map(key_value))
}

pub(crate) fn delete_request(delete: Delete) -> pb::DeleteRangeRequest {
    delete_message(&delete)
}

pub(crate) fn delete_message(delete: &Delete) -> pb::DeleteRangeRequest {
    let (key, range_end) = delete.range.bounds();
    pb::DeleteRangeRequest { key, range_end, prev_kv: delete.prev_kv }
}

pub(crate) fn delete_response(response: pb::DeleteRangeResponse) -> Result<DeleteResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    Ok(delete_response_with(header, response))
}

pub(crate) fn delete_response_with(
    header: ResponseHeader,
    response: pb::DeleteRangeResponse,
) -> DeleteResponse {
    DeleteResponse::new(header, count(response.deleted)).with_prev_kvs(key_values(response.prev_kvs))
}

pub(crate) fn compact_request(compact: Compact) -> pb::CompactionRequest {
    pb::CompactionRequest { revision: compact.revision.get(), physical: compact.physical }
}

pub(crate) fn compact_response(response: pb::CompactionResponse) -> Result<CompactResponse, Error> {
    Ok(CompactResponse::new(required(response.header, Effect::Writes)?))
}

/// Converts in place: both pair types have the same layout, so the vector keeps its allocation.
fn key_values(kvs: Vec<mvccpb::KeyValue>) -> Vec<KeyValue> {
    kvs.into_iter().map(key_value).collect()
}

pub(crate) fn key_value(kv: mvccpb::KeyValue) -> KeyValue {
    KeyValue::new(kv.key, kv.value)
        .with_revisions(Revision::new(kv.create_revision), Revision::new(kv.mod_revision))
        .with_version(Version::new(kv.version))
        .with_lease(LeaseId::new(kv.lease))
}

/// Converts a count. Negative counts become zero.
fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
