//! The header of an answer, and what to say when an answer cannot be right.

use etcd_errors::{Error, ErrorKind, Outcome};
use etcd_proto::etcdserverpb as pb;

use crate::model::{ClusterId, MemberId, ResponseHeader, Revision};

/// Whether a request that got a nonsensical answer may have changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Writes,
}

/// The header of an answer that must have one.
pub(super) fn required(header: Option<pb::ResponseHeader>, effect: Effect) -> Result<ResponseHeader, Error> {
    header.map(convert).ok_or_else(|| protocol("the answer has no header", effect))
}

/// The header of an answer that may come without one.
pub(super) fn optional(header: Option<pb::ResponseHeader>) -> Option<ResponseHeader> {
    header.map(convert)
}

/// The header of an operation inside a Txn: servers fill in at most the revision.
pub(super) fn nested(header: Option<pb::ResponseHeader>, outer: ResponseHeader) -> ResponseHeader {
    let revision = match header {
        Some(header) if header.revision != 0 => Revision::new(header.revision),
        _ => outer.revision,
    };
    ResponseHeader { revision, ..outer }
}

pub(super) fn protocol(message: &'static str, effect: Effect) -> Error {
    let outcome = match effect {
        Effect::Reads => Outcome::NotApplied,
        Effect::Writes => Outcome::Unknown,
    };
    Error::new(ErrorKind::Protocol, message).with_outcome(outcome)
}

pub(super) fn convert(header: pb::ResponseHeader) -> ResponseHeader {
    ResponseHeader::new(
        ClusterId::new(header.cluster_id),
        MemberId::new(header.member_id),
        Revision::new(header.revision),
        header.raft_term,
    )
}
