//! Responses as text. Each message is taken apart completely, so a new field does not compile until it is compared.

mod auth;
mod lease;

use etcd_proto::{
    etcdserverpb::{
        CompactionResponse, DeleteRangeResponse, PutResponse, RangeResponse, ResponseHeader, ResponseOp,
        TxnResponse, WatchResponse, response_op,
    },
    mvccpb::{Event, KeyValue},
};
use tonic::Status;

use super::{Fields, bytes};
use crate::operation::LEASES;

/// The origin of the revisions in texts. Sequences begin at different revisions of different stores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) revision: i64,
    pub(crate) auth_revision: u64,
}

impl Frame {
    /// A revision relative to the beginning of the sequence. Zero means that none was set.
    pub(crate) fn revision(self, revision: i64) -> String {
        if revision == 0 { String::new() } else { format!("{:+}", revision - self.revision) }
    }

    pub(super) fn header(self, header: Option<&ResponseHeader>) -> String {
        let Some(header) = header else { return "no header".to_owned() };
        let ResponseHeader { cluster_id, member_id, revision, raft_term } = header;
        let bare = match (*cluster_id, *member_id, *raft_term) {
            (0, 0, 0) => " bare",
            (1.., 1.., 1..) => "",
            _ => " partial",
        };
        format!("at {}{bare}", if *revision == 0 { "0".to_owned() } else { self.revision(*revision) })
    }
}

/// A response that is compared.
pub(crate) trait Response {
    fn header(&self) -> Option<&ResponseHeader>;
    fn text(&self, frame: Frame) -> String;
}

/// An error as text.
pub(crate) fn status(status: &Status) -> String {
    format!("{:?} {:?}", status.code(), status.message())
}

/// A lease id, unless the server chose it.
pub(super) fn lease_id(id: i64) -> String {
    if id == 0 || LEASES.contains(&id) { id.to_string() } else { "generated".to_owned() }
}

impl Response for RangeResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, kvs, more, count } = self;
        Fields::of("range")
            .word(&frame.header(header.as_ref()))
            .list("kvs", kvs.iter().map(|pair| key_value(pair, frame)))
            .flag("more", *more)
            .number("count", *count)
            .end()
    }
}

impl Response for PutResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, prev_kv } = self;
        let previous = prev_kv.as_ref().map(|pair| format!("({})", key_value(pair, frame)));
        Fields::of("put")
            .word(&frame.header(header.as_ref()))
            .text("prev_kv", &previous.unwrap_or_default())
            .end()
    }
}

impl Response for DeleteRangeResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, deleted, prev_kvs } = self;
        Fields::of("deleted")
            .word(&deleted.to_string())
            .word(&frame.header(header.as_ref()))
            .list("prev_kvs", prev_kvs.iter().map(|pair| key_value(pair, frame)))
            .end()
    }
}

impl Response for TxnResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, succeeded, responses } = self;
        Fields::of("txn")
            .word(&frame.header(header.as_ref()))
            .word(if *succeeded { "succeeded" } else { "failed" })
            .list("responses", responses.iter().map(|response| operation(response, frame)))
            .end()
    }
}

impl Response for CompactionResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header } = self;
        format!("compacted {}", frame.header(header.as_ref()))
    }
}

impl Response for WatchResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, watch_id, created, canceled, compact_revision, cancel_reason, fragment, events } =
            self;
        Fields::of(&format!("watch {watch_id}"))
            .word(&frame.header(header.as_ref()))
            .flag("created", *created)
            .flag("canceled", *canceled)
            .text("compact_revision", &frame.revision(*compact_revision))
            .text("reason", cancel_reason)
            .flag("fragment", *fragment)
            .list("events", events.iter().map(|one| event(one, frame)))
            .end()
    }
}

fn operation(response: &ResponseOp, frame: Frame) -> String {
    match &response.response {
        Some(response_op::Response::ResponseRange(response)) => response.text(frame),
        Some(response_op::Response::ResponsePut(response)) => response.text(frame),
        Some(response_op::Response::ResponseDeleteRange(response)) => response.text(frame),
        Some(response_op::Response::ResponseTxn(response)) => response.text(frame),
        None => "nothing".to_owned(),
    }
}

pub(crate) fn event(event: &Event, frame: Frame) -> String {
    let Event { r#type, kv, prev_kv } = event;
    let pair = |pair: &Option<KeyValue>| pair.as_ref().map(|pair| key_value(pair, frame));
    Fields::of(&format!("type {}", r#type))
        .word(&pair(kv).unwrap_or_else(|| "no pair".to_owned()))
        .text("prev_kv", &pair(prev_kv).map(|pair| format!("({pair})")).unwrap_or_default())
        .end()
}

fn key_value(pair: &KeyValue, frame: Frame) -> String {
    let KeyValue { key, create_revision, mod_revision, version, value, lease } = pair;
    Fields::of(&bytes(key))
        .text("value", &if value.is_empty() { String::new() } else { bytes(value) })
        .text("create", &frame.revision(*create_revision))
        .text("mod", &frame.revision(*mod_revision))
        .number("version", *version)
        .text("lease", &lease_id(*lease))
        .end()
}
