//! A range as a stream of chunks, from a member that has `RangeStream`.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use bytes::Bytes;
use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use etcd_proto::etcdserverpb as pb;
use tokio::time::Instant;

use crate::{
    mechanism::retry::Observation,
    service::{CallOptions, RangeStream},
    transport::{
        call::Call,
        channel::{Channel, check_runtime},
        connection::Connection,
        failure::Failure,
        method::Method,
        pool::closed,
        progress::Progress,
        streaming::{self, MessageStream},
        tonic::{ServiceCaller, ServiceStream},
    },
    wire,
};

const METHOD: Method = Method::RangeStream;

/// Opens the stream; once more where a member did not process the request. Who needs more than that asks for pages.
pub(super) async fn open(
    channel: &Channel,
    frame: Bytes,
    options: &CallOptions,
) -> Result<RangeStream, Error> {
    let mut progress = Progress::start(channel, Call::new(METHOD, options))?;
    loop {
        let flight = progress.stream_connection(channel).await?;
        let connection = Arc::clone(&flight.connection);
        if connection.lacks(METHOD) {
            let error = unsupported("this member has no RangeStream", &connection);
            progress.ended(&error);
            return Err(error);
        }
        let Some(place) = connection.stream_place() else {
            let why = "as many streams as may be left unread are open on this connection";
            let error = unsupported(why, &connection);
            progress.ended(&error);
            return Err(error);
        };
        let headers = progress.headers_without_timeout(channel);
        let opened = streaming::open(
            (flight, Some(place)),
            METHOD,
            headers,
            frame.clone(),
            channel.max_receive_bytes(),
            progress.deadline,
        );
        // A member may send a head before it looks at the token: the stream is open when its first message is there.
        let begun = async {
            let mut messages = opened.await?;
            let first = messages.next(progress.deadline).await?;
            Ok((messages, first))
        };
        let answered = AtomicBool::new(false);
        let failure = match progress.lookout(channel, &connection, &answered).wait(begun).await {
            Ok((messages, first)) => {
                progress.finished(&connection);
                return Ok(chunks(messages, first, channel.timeout(options)));
            }
            Err(failure) => failure,
        };
        learn(&failure, &connection);
        let again = progress.is_first()
            && matches!(failure.observation, Observation::NotSent | Observation::NotProcessed);
        progress.record(channel, &connection, &failure);
        if !again && !progress.is_curable(channel, &failure) {
            return Err(progress.fail(channel, failure.into_error()));
        }
        progress.next(channel, failure).await?;
    }
}

/// Opens the stream through a service.
pub(super) async fn through(
    service: &ServiceCaller,
    request: &pb::RangeRequest,
    options: &CallOptions,
) -> Result<RangeStream, Error> {
    let messages: ServiceStream<pb::RangeStreamResponse> =
        service.server_stream(Call::new(METHOD, options), request).await?;
    Ok(RangeStream::from_state(Some(messages), |messages| async move {
        let mut messages = messages?;
        match messages.next().await {
            Ok(Some(message)) => Some((Ok(wire::range_chunk(message)), Some(messages))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    }))
}

/// The messages as chunks. `timeout` bounds the wait for each one: a long range may take long, a silent one may not.
fn chunks(
    messages: MessageStream<pb::RangeStreamResponse>,
    first: Option<pb::RangeStreamResponse>,
    timeout: Option<Duration>,
) -> RangeStream {
    RangeStream::from_state(Some((messages, first)), move |state| async move {
        let (mut messages, first) = state?;
        if let Err(error) = check_runtime() {
            return Some((Err(error.with_operation(METHOD.operation())), None));
        }
        if let Some(first) = first {
            return Some((Ok(wire::range_chunk(first)), Some((messages, None))));
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match messages.next(deadline).await {
            Ok(Some(message)) => Some((Ok(wire::range_chunk(message)), Some((messages, None)))),
            Ok(None) => None,
            // What would follow has a gap before it.
            Err(failure) => Some((Err(broken(failure, messages.connection())), None)),
        }
    })
}

/// The error of a stream that had been opened.
fn broken(failure: Failure, connection: &Connection) -> Error {
    learn(&failure, connection);
    let attempt = Attempt::new(connection.endpoint(), failure.text.to_string()).with_sent(true);
    let error = if connection.is_shut_down() { closed() } else { failure.into_error() };
    named(error, attempt)
}

/// A member older than 3.7 is remembered for as long as its connection lives.
fn learn(failure: &Failure, connection: &Connection) {
    if failure.text.contains("unknown method") {
        connection.remember_lacking(METHOD);
    }
}

fn unsupported(why: &'static str, connection: &Connection) -> Error {
    let attempt = Attempt::new(connection.endpoint(), why).with_sent(false);
    named(Error::new(ErrorKind::Unsupported, why), attempt)
}

fn named(error: Error, attempt: Attempt) -> Error {
    error.with_operation(METHOD.operation()).with_outcome(Outcome::NotApplied).with_attempts(vec![attempt])
}
