//! The chunks of a `RangeStream` call.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use tokio::time::Instant;

use crate::{
    service::RangeStream,
    transport::{attempt::Failure, connection::Connection, method::Method, streaming::MessageStream},
    wire,
};

/// The messages as chunks. `timeout` bounds the wait for each one: a long range may take long, a silent one may not.
pub(super) fn chunks(
    messages: MessageStream<pb::RangeStreamResponse>,
    timeout: Option<Duration>,
) -> RangeStream {
    RangeStream::from_state(messages, move |mut messages| async move {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match messages.next(deadline).await {
            Ok(Some(message)) => Some((Ok(wire::range_chunk(message)), messages)),
            Ok(None) => None,
            Err(failure) => {
                let error = error(failure, &Arc::clone(&messages.flight().connection));
                Some((Err(error), messages))
            }
        }
    })
}

/// The caller's error. A member older than 3.7 is remembered for as long as its connection lives.
pub(super) fn error(failure: Failure, connection: &Connection) -> Error {
    let error = failure.into_error().with_operation(Method::RangeStream.operation());
    if error.kind() == ErrorKind::Unsupported && error.message().contains("unknown method") {
        connection.lacks_range_stream.store(true, Ordering::Relaxed);
    }
    error
}
