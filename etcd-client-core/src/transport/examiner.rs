//! Whether the messages of a stream are to be believed. It does not keep the client open, as the stream must not.

use std::sync::{Arc, Weak};

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use super::{
    channel::{Channel, Shared},
    connection::Connection,
};
use crate::mechanism::history::History;

/// Holds the headers of one stream against what its client has seen.
#[derive(Clone, Debug)]
pub(crate) struct Examiner {
    client: Weak<Shared>,
    /// What a message of this history has to show at least.
    floor: Option<(Arc<History>, i64)>,
}

impl Channel {
    /// An examiner of a stream that is asked for now; the revision is looked at where the request was `linearizable`.
    pub(crate) fn examiner(&self, linearizable: bool) -> Examiner {
        let floor = linearizable.then(|| {
            let history = self.history();
            let floor = history.floor();
            (history, floor)
        });
        Examiner { client: self.downgrade(), floor }
    }
}

impl Examiner {
    /// Learns from a header that came on this connection, or on one that is not known; or says why it is not to be believed.
    pub(crate) fn examine(
        &self,
        header: &pb::ResponseHeader,
        connection: Option<&Connection>,
    ) -> Result<(), Error> {
        let Some(channel) = Channel::upgrade(&self.client) else { return Ok(()) };
        match (connection, &self.floor) {
            (Some(connection), None) => channel.examine(header, None, connection),
            (Some(connection), Some((history, floor))) => {
                let floor = Arc::ptr_eq(history, &connection.history).then_some(*floor);
                channel.examine(header, floor, connection)
            }
            (None, Some((history, floor))) => channel.admit(header, history, Some(*floor)),
            (None, None) => channel.admit(header, &channel.history(), None),
        }
    }
}
