//! Whether the messages of a stream are to be believed. It does not keep the client open, as the stream must not.

use std::sync::Weak;

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use super::{
    channel::{Channel, Shared},
    member::Member,
};

/// Holds the headers of one stream against what its client has seen.
#[derive(Clone, Debug)]
pub(crate) struct Examiner {
    client: Weak<Shared>,
    floor: Option<i64>,
}

impl Channel {
    /// An examiner of a stream that is asked for now; the revision is looked at where the request was `linearizable`.
    pub(crate) fn examiner(&self, linearizable: bool) -> Examiner {
        Examiner { client: self.downgrade(), floor: linearizable.then(|| self.floor()) }
    }
}

impl Examiner {
    /// Learns from a header that came from `member`, or from one that is not known; or says why it is not to be believed.
    pub(crate) fn examine(&self, header: &pb::ResponseHeader, member: Option<&Member>) -> Result<(), Error> {
        let Some(channel) = Channel::upgrade(&self.client) else { return Ok(()) };
        match member {
            Some(member) => channel.examine(header, self.floor, member),
            None => channel.admit(header, self.floor),
        }
    }
}
