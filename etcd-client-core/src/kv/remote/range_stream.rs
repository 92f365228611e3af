//! Streamed ranges, for members that support `RangeStream` (etcd 3.7 and later).

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use bytes::Bytes;
use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use etcd_proto::etcdserverpb as pb;
use tokio::time::Instant;

use crate::{
    kv::{RangeChunk, RangeStream, codec},
    transport::{
        call::{call_state::CallState, channel::Channel, unary::Call},
        check_runtime,
        connection::{
            message_stream::{self, MessageStream},
            verified::Connection,
        },
        grpc::{failure::Failure, method::Method, observation::Observation},
        pool::closed,
        stream::header_check::HeaderCheck,
        stub::service_caller::{ServiceCaller, ServiceStream},
    },
};

const METHOD: Method = Method::RangeStream;

/// Opens the stream. Retries once if a member did not process the request, and as usual after a rejected token.
/// Callers that need more retries use pages.
pub(crate) async fn open(channel: &Channel, call: Call<'_>, frame: Bytes) -> Result<RangeStream, Error> {
    let mut progress = CallState::start(channel, call)?;
    loop {
        let permit = progress.stream_connection(channel).await?;
        let header_check = channel.header_check(call.linearizable);
        let connection = Arc::clone(&permit.connection);
        if connection.lacks(METHOD) {
            let why = "this member does not support RangeStream (etcd 3.7 and later)";
            let error = not_sent(ErrorKind::Unsupported, why, &connection);
            progress.ended(&error);
            return Err(error);
        }
        let Some(stream_permit) = connection.stream_permit() else {
            let why = "the client has reached its limit of unread streams";
            let error = not_sent(ErrorKind::CapacityExceeded, why, &connection);
            progress.ended(&error);
            return Err(error);
        };
        let headers = progress.headers_without_timeout(channel);
        let opened = message_stream::open(
            (permit, Some(stream_permit)),
            METHOD,
            headers,
            frame.clone(),
            channel.max_receive_bytes(),
            progress.deadline,
        );
        // A member may send the response head before it checks the token, so the stream counts as open only
        // once its first message has arrived.
        let begun = async {
            let mut messages = opened.await?;
            let first = messages.next(progress.deadline).await?;
            Ok((messages, first))
        };
        let answered = AtomicBool::new(false);
        let failure = match progress.watchdog(channel, &connection, &answered).wait(begun).await {
            Ok((messages, first)) => {
                progress.finished(&connection);
                return Ok(chunks(messages, first, header_check, channel.timeout(call.options)));
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

/// Opens the stream through a caller-supplied service.
pub(crate) async fn through(
    service: &ServiceCaller,
    call: Call<'_>,
    request: &pb::RangeRequest,
) -> Result<RangeStream, Error> {
    let header_check = service.channel().header_check(call.linearizable);
    let messages: ServiceStream<pb::RangeStreamResponse> = service.server_stream(call, request).await?;
    Ok(RangeStream::from_state(Some((messages, header_check)), |state| async move {
        let (mut messages, header_check) = state?;
        let message = messages.next().await.transpose()?;
        let chunk = message.and_then(|message| {
            let chunk = checked_chunk(message, &header_check, None);
            chunk.map_err(|error| error.with_operation(METHOD.operation()).with_outcome(Outcome::NotApplied))
        });
        let going_on = chunk.is_ok().then_some((messages, header_check));
        Some((chunk, going_on))
    }))
}

/// Converts the messages to chunks. `timeout` bounds the wait for each message and not the stream: a long range may
/// take long, an unresponsive member may not.
fn chunks(
    messages: MessageStream<pb::RangeStreamResponse>,
    first: Option<pb::RangeStreamResponse>,
    header_check: HeaderCheck,
    timeout: Option<Duration>,
) -> RangeStream {
    RangeStream::from_state(Some((messages, first, header_check)), move |state| async move {
        let (mut messages, first, header_check) = state?;
        if let Err(error) = check_runtime() {
            return Some((Err(error.with_operation(METHOD.operation())), None));
        }
        let next = match first {
            Some(first) => Ok(Some(first)),
            None => {
                let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
                messages.next(deadline).await
            }
        };
        let message = next.map_err(|failure| broken(failure, messages.connection())).transpose()?;
        let chunk = message.and_then(|message| checked_on(message, &header_check, messages.connection()));
        // The stream ends with its first error, because there would be a gap before anything that follows.
        let going_on = chunk.is_ok().then_some((messages, None, header_check));
        Some((chunk, going_on))
    })
}

/// Converts a message after checking that its header belongs to this client's cluster and history. etcd sends a
/// header with the last chunk only.
fn checked_chunk(
    message: pb::RangeStreamResponse,
    header_check: &HeaderCheck,
    connection: Option<&Connection>,
) -> Result<RangeChunk, Error> {
    if let Some(header) = message.range_response.as_ref().and_then(|range| range.header.as_ref()) {
        header_check.check_header(header, connection)?;
    }
    Ok(codec::range_chunk(message))
}

fn checked_on(
    message: pb::RangeStreamResponse,
    header_check: &HeaderCheck,
    connection: &Connection,
) -> Result<RangeChunk, Error> {
    checked_chunk(message, header_check, Some(connection)).map_err(|error| {
        let attempt = Attempt::new(connection.endpoint(), error.message().to_owned()).with_sent(true);
        named(error, attempt)
    })
}

/// Converts the failure of an open stream to an error.
fn broken(failure: Failure, connection: &Connection) -> Error {
    learn(&failure, connection);
    let attempt = Attempt::new(connection.endpoint(), failure.text.to_string()).with_sent(true);
    let error = if connection.is_shut_down() { closed() } else { failure.into_error() };
    named(error, attempt)
}

/// Records that a member is older than 3.7, for the lifetime of its connection.
fn learn(failure: &Failure, connection: &Connection) {
    // grpc-go's message for a method that is not registered. The code alone may come from a proxy.
    if failure.text.contains("unknown method") {
        connection.remember_lacking(METHOD);
    }
}

fn not_sent(kind: ErrorKind, why: &'static str, connection: &Connection) -> Error {
    let attempt = Attempt::new(connection.endpoint(), why).with_sent(false);
    named(Error::new(kind, why), attempt)
}

fn named(error: Error, attempt: Attempt) -> Error {
    error.with_operation(METHOD.operation()).with_outcome(Outcome::NotApplied).with_attempts(vec![attempt])
}
