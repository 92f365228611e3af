//! The common part of the Lock and Election services: keys with a common prefix, ordered by their creation.
//!
//! etcd runs Go's client inside of the server for these services. Their errors have no code of their own: `Unknown`, and
//! the text.

use bytes::Bytes;
use etcd_proto::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use etcd_proto::etcdserverpb::range_request::{SortOrder, SortTarget};
use etcd_proto::etcdserverpb::request_op::Request as Op;
use etcd_proto::etcdserverpb::response_op::Response as Done;
use etcd_proto::etcdserverpb::{
    Compare, DeleteRangeRequest, LeaseGrantRequest, PutRequest, RangeRequest, RequestOp, ResponseHeader,
    TxnRequest, TxnResponse,
};
use etcd_proto::mvccpb::KeyValue;
use tonic::Status;

use super::Services;
use crate::member::{Caller, Member};
use crate::rejection::Rejection;
use crate::store::range_end;

/// The time to live of the lease that a session gets if the request has none, in seconds.
const SESSION_TTL: i64 = 60;

/// The key of one participant.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Bytes,
    pub(super) create_revision: i64,
    pub(super) lease: i64,
    /// The value, and the header of the response that created or found the key.
    pub(super) value: Bytes,
    pub(super) header: Option<ResponseHeader>,
}

impl Services {
    /// Calls the member like Go's client inside of the server.
    pub(super) fn inside<R>(
        &self,
        operate: impl FnOnce(&mut Member) -> Result<R, Rejection>,
    ) -> Result<R, Status> {
        self.shared.with(operate).map_err(|rejection| Status::unknown(rejection.text))
    }

    /// Returns `lease`, or a new one for zero.
    pub(super) fn session(&self, caller: &Caller, lease: i64) -> Result<i64, Status> {
        if lease != 0 {
            return Ok(lease);
        }
        let request = LeaseGrantRequest { ttl: SESSION_TTL, id: 0 };
        self.inside(|member| member.lease_grant(caller, &request)).map(|granted| granted.id)
    }

    /// Creates the key of a participant, unless it exists.
    pub(super) fn enter(
        &self,
        caller: &Caller,
        name: &[u8],
        lease: i64,
        value: &Bytes,
    ) -> Result<Entry, Status> {
        let key = key(name, lease);
        let put = PutRequest { key: key.clone(), value: value.clone(), lease, ..Default::default() };
        let get = RangeRequest { key: key.clone(), ..Default::default() };
        let request = TxnRequest {
            compare: vec![created(&key, 0)],
            success: vec![RequestOp { request: Some(Op::RequestPut(put)) }],
            failure: vec![RequestOp { request: Some(Op::RequestRange(get)) }],
        };
        let response = self.inside(|member| member.txn(caller, &request))?;
        let header = response.header;
        // The key is new, unless the transaction has found it.
        let (create_revision, value) = match found(response) {
            Some(kv) => (kv.create_revision, kv.value),
            None => (header.map_or(0, |header| header.revision), value.clone()),
        };
        Ok(Entry { key, create_revision, lease, value, header })
    }

    /// Waits until no participant that came before is left.
    pub(super) async fn wait_for_turn(
        &self,
        caller: &Caller,
        name: &[u8],
        entry: &Entry,
    ) -> Result<(), Status> {
        let mut commits = self.shared.commits();
        let prefix = prefix(name);
        let before = RangeRequest {
            range_end: range_end(&prefix),
            key: prefix,
            max_create_revision: entry.create_revision - 1,
            ..Default::default()
        };
        loop {
            commits.mark_unchanged();
            if self.inside(|member| member.range(caller, &before))?.kvs.is_empty() {
                return Ok(());
            }
            // The sender lives as long as the member.
            let _open = commits.changed().await;
        }
    }

    /// Returns the participant that came first, and the header of the read.
    pub(super) fn first(
        &self,
        caller: &Caller,
        name: &[u8],
    ) -> Result<(Option<ResponseHeader>, Option<KeyValue>), Status> {
        let prefix = prefix(name);
        let request = RangeRequest {
            range_end: range_end(&prefix),
            key: prefix,
            limit: 1,
            sort_order: SortOrder::Ascend as i32,
            sort_target: SortTarget::Create as i32,
            ..Default::default()
        };
        let mut response = self.inside(|member| member.range(caller, &request))?;
        Ok((response.header, response.kvs.pop()))
    }

    /// Deletes a key, unless it is not the one that was created at `create_revision`.
    pub(super) fn leave(
        &self,
        caller: &Caller,
        key: &Bytes,
        create_revision: i64,
    ) -> Result<TxnResponse, Status> {
        let delete = DeleteRangeRequest { key: key.clone(), ..Default::default() };
        let request = TxnRequest {
            compare: vec![created(key, create_revision)],
            success: vec![RequestOp { request: Some(Op::RequestDeleteRange(delete)) }],
            failure: Vec::new(),
        };
        self.inside(|member| member.txn(caller, &request))
    }

    /// Deletes the key of a participant that is dropped while it waits.
    pub(super) fn leave_on_drop(&self, caller: &Caller, entry: &Entry) -> Leaving {
        Leaving { services: self.clone(), caller: caller.clone(), entry: Some(entry.clone()) }
    }
}

/// Deletes a key when it is dropped.
#[derive(Debug)]
pub(super) struct Leaving {
    services: Services,
    caller: Caller,
    entry: Option<Entry>,
}

impl Leaving {
    /// Keeps the key.
    pub(super) fn stay(mut self) {
        self.entry = None;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(entry) = &self.entry {
            // A key that cannot be deleted ends with its lease.
            let _left = self.services.leave(&self.caller, &entry.key, entry.create_revision);
        }
    }
}

/// Returns the condition that `key` was created at `revision`.
pub(super) fn created(key: &Bytes, revision: i64) -> Compare {
    Compare {
        result: CompareResult::Equal as i32,
        target: CompareTarget::Create as i32,
        key: key.clone(),
        range_end: Bytes::new(),
        target_union: Some(TargetUnion::CreateRevision(revision)),
    }
}

fn prefix(name: &[u8]) -> Bytes {
    [name, b"/"].concat().into()
}

/// Returns the key of a participant, with its lease as Go prints it in base 16.
fn key(name: &[u8], lease: i64) -> Bytes {
    let sign = if lease < 0 { "-" } else { "" };
    [name, b"/", sign.as_bytes(), format!("{:x}", lease.unsigned_abs()).as_bytes()].concat().into()
}

/// Returns what the first operation of a transaction has read.
fn found(response: TxnResponse) -> Option<KeyValue> {
    match response.responses.into_iter().next()?.response? {
        Done::ResponseRange(mut range) => range.kvs.pop(),
        _ => None,
    }
}
