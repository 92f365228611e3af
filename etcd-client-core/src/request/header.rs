//! The header of responses, and the error for an invalid response.

use etcd_errors::{Error, ErrorKind, Outcome};
use etcd_proto::etcdserverpb as pb;

use crate::types::{ClusterId, MemberId, ResponseHeader, Revision};

/// A message that answers a unary call.
pub(crate) trait Answer: prost::Message + Default {
    /// Returns the header, which a member may have left out.
    fn header(&self) -> Option<&pb::ResponseHeader>;
}

/// Implements [`Answer`] for messages of one package.
macro_rules! answers {
    ($package:ident: $($message:ident),+ $(,)?) => {
        $(impl $crate::request::header::Answer for $package::$message {
            fn header(&self) -> Option<&etcd_proto::etcdserverpb::ResponseHeader> {
                self.header.as_ref()
            }
        })+
    };
}

pub(crate) use answers;

/// States whether a request may have changed the store even though its response is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

/// Converts a mandatory header.
pub(crate) fn required(header: Option<pb::ResponseHeader>, effect: Effect) -> Result<ResponseHeader, Error> {
    header.map(convert).ok_or_else(|| protocol("the response has no header", effect))
}

/// Converts an optional header.
pub(crate) fn optional(header: Option<pb::ResponseHeader>) -> Option<ResponseHeader> {
    header.map(convert)
}

/// Converts the header of an operation inside a transaction. Servers fill in at most its revision.
pub(crate) fn nested(header: Option<pb::ResponseHeader>, outer: ResponseHeader) -> ResponseHeader {
    let revision = match header {
        Some(header) if header.revision != 0 => Revision::new(header.revision),
        _ => outer.revision,
    };
    ResponseHeader { revision, ..outer }
}

pub(crate) fn protocol(message: &'static str, effect: Effect) -> Error {
    let outcome = match effect {
        Effect::Reads => Outcome::NotApplied,
        Effect::Writes => Outcome::Unknown,
    };
    Error::new(ErrorKind::Protocol, message).with_outcome(outcome)
}

pub(crate) fn convert(header: pb::ResponseHeader) -> ResponseHeader {
    ResponseHeader::new(
        ClusterId::new(header.cluster_id),
        MemberId::new(header.member_id),
        Revision::new(header.revision),
        header.raft_term,
    )
}
