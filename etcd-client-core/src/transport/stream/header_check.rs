//! Checks the message headers of a stream. It does not keep the client open, because a stream must not.

use std::sync::{Arc, Weak};

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::transport::{
    call::channel::{Channel, Shared},
    connection::{history::History, verified::Connection},
};

/// Checks the headers of one stream against the history that the client knows.
#[derive(Clone, Debug)]
pub(crate) struct Examiner {
    client: Weak<Shared>,
    /// The history and the minimum revision of its messages.
    floor: Option<(Arc<History>, i64)>,
}

impl Channel {
    /// Creates an examiner for a stream that starts now. The minimum revision applies only to `linearizable` requests.
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
    /// Checks a header from this connection, or from an unknown one, and learns from it. An error means that the
    /// message must be rejected.
    pub(crate) fn examine(
        &self,
        header: &pb::ResponseHeader,
        connection: Option<&Connection>,
    ) -> Result<(), Error> {
        // The client is gone, and the stream is about to end.
        let Some(channel) = Channel::upgrade(&self.client) else { return Ok(()) };
        match (connection, &self.floor) {
            (Some(connection), None) => channel.examine(header, None, connection),
            (Some(connection), Some((history, floor))) => {
                // The minimum revision is meaningless on a connection of a different history, accepted since.
                let floor = Arc::ptr_eq(history, &connection.history).then_some(*floor);
                channel.examine(header, floor, connection)
            }
            (None, Some((history, floor))) => channel.admit(header, history, Some(*floor)),
            (None, None) => channel.admit(header, &channel.history(), None),
        }
    }
}
