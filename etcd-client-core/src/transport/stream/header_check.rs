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
pub(crate) struct HeaderCheck {
    client: Weak<Shared>,
    /// The history and the minimum revision of its messages.
    min_revision: Option<(Arc<History>, i64)>,
}

impl Channel {
    /// Creates the header check of a stream that starts now. The minimum revision applies only to `linearizable` requests.
    pub(crate) fn header_check(&self, linearizable: bool) -> HeaderCheck {
        let min_revision = linearizable.then(|| {
            let history = self.history();
            let min_revision = history.min_revision();
            (history, min_revision)
        });
        HeaderCheck { client: self.downgrade(), min_revision }
    }
}

impl HeaderCheck {
    /// Checks a header from this connection, or from an unknown one, and learns from it. An error means that the
    /// message must be rejected.
    pub(crate) fn check_header(
        &self,
        header: &pb::ResponseHeader,
        connection: Option<&Connection>,
    ) -> Result<(), Error> {
        // The client is gone, and the stream is about to end.
        let Some(channel) = Channel::upgrade(&self.client) else { return Ok(()) };
        match (connection, &self.min_revision) {
            (Some(connection), None) => channel.check_header(header, None, connection),
            (Some(connection), Some((history, min_revision))) => {
                // The minimum revision is meaningless on a connection of a different history, accepted since.
                let min_revision = Arc::ptr_eq(history, &connection.history).then_some(*min_revision);
                channel.check_header(header, min_revision, connection)
            }
            (None, Some((history, min_revision))) => channel.admit(header, history, Some(*min_revision)),
            (None, None) => channel.admit(header, &channel.history(), None),
        }
    }
}
