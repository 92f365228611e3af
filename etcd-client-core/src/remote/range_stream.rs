//! The chunks of a `RangeStream` call.

use std::{sync::atomic::Ordering, time::Duration};

use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use etcd_proto::etcdserverpb as pb;
use tokio::time::Instant;

use crate::{
    service::RangeStream,
    transport::{
        attempt::Failure, connection::Connection, method::Method, pool::closed, streaming::MessageStream,
    },
    wire,
};

/// The messages as chunks. `timeout` bounds the wait for each one: a long range may take long, a silent one may not.
pub(super) fn chunks(
    messages: MessageStream<pb::RangeStreamResponse>,
    timeout: Option<Duration>,
) -> RangeStream {
    RangeStream::from_state(Some(messages), move |messages| async move {
        let mut messages = messages?;
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match messages.next(deadline).await {
            Ok(Some(message)) => Some((Ok(wire::range_chunk(message)), Some(messages))),
            Ok(None) => None,
            // What would follow has a gap before it.
            Err(failure) => Some((Err(error(failure, &messages.flight().connection)), None)),
        }
    })
}

/// The caller's error. A member older than 3.7 is remembered for as long as its connection lives.
pub(super) fn error(failure: Failure, connection: &Connection) -> Error {
    let attempt = Attempt::new(&**connection.endpoint(), failure.text.to_string());
    let error = if connection.is_shut_down() { closed() } else { failure.into_error() };
    if error.kind() == ErrorKind::Unsupported && error.message().contains("unknown method") {
        connection.lacks_range_stream.store(true, Ordering::Relaxed);
    }
    named(error, attempt)
}

/// The error for a member that is known to be older than 3.7.
pub(super) fn unsupported(connection: &Connection) -> Error {
    let text = "this member has no RangeStream";
    let attempt = Attempt::new(&**connection.endpoint(), text).with_sent(false);
    named(Error::new(ErrorKind::Unsupported, text), attempt)
}

fn named(error: Error, attempt: Attempt) -> Error {
    error
        .with_operation(Method::RangeStream.operation())
        .with_outcome(Outcome::NotApplied)
        .with_attempts(vec![attempt])
}
