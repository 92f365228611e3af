//! One attempt of a unary call on one connection.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::timeout;

use crate::transport::{
    connection::{grpc_stream, verified::Permit},
    grpc::{failure::Failure, frame::Decoder, method::Method},
};

/// The time that a stream has to end after its response, before it is reset.
pub(crate) const FAREWELL: Duration = Duration::from_millis(500);

/// Sends `frame` and reads the single message of the response. Sets `begun` once the response head has arrived.
///
/// # Cancel safety
///
/// Dropping the future resets the stream, which cancels the call on the server.
pub(crate) async fn unary(
    permit: &Permit,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    begun: &AtomicBool,
) -> Result<Bytes, Failure> {
    if method == Method::LeaseKeepAlive {
        // Boxed, so that the future of other calls is not larger for it.
        return Box::pin(first_of_stream(permit, method, headers, frame, max_receive, begun)).await;
    }
    let connection = &permit.connection;
    // Taken before the request is queued: if the connection is lost and nothing was written since, the
    // request was never sent and can be retried even if it is a write.
    let mark = connection.mark();
    let response = grpc_stream::send(connection, method, headers, frame)?;
    let lost = |error| {
        let failure = Failure::stream(&error);
        if connection.was_unsent(mark) { failure.unsent() } else { failure }
    };
    let response = response.await.map_err(lost)?;
    begun.store(true, Ordering::Relaxed);
    let Some(mut body) = grpc_stream::body(response)? else {
        return Err(Failure::malformed("the call succeeded without a response message"));
    };
    let mut decoder = Decoder::new(max_receive);
    let mut message = None;
    // Read to the end even after the message: only the trailers show whether the call succeeded.
    while grpc_stream::receive(&mut body, &mut decoder).await? {
        while let Some(next) = decoder.pop().map_err(Failure::frame)? {
            if message.replace(next).is_some() {
                return Err(Failure::malformed("the response of a unary call contains two messages"));
            }
        }
    }
    grpc_stream::end(&mut body, &decoder).await?;
    message.ok_or_else(|| Failure::malformed("the call succeeded without a response message"))
}

/// Exchanges one message each way on a streaming RPC. The request stream stays open until the response has arrived:
/// etcd's gRPC proxy drops a renewal whose request stream has ended (etcd issue 9751).
async fn first_of_stream(
    permit: &Permit,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    begun: &AtomicBool,
) -> Result<Bytes, Failure> {
    let (response, mut half) = grpc_stream::send_open(&permit.connection, method, headers, frame)?;
    let response = response.await.map_err(|error| Failure::stream(&error))?;
    begun.store(true, Ordering::Relaxed);
    let Some(mut body) = grpc_stream::body(response)? else {
        return Err(Failure::malformed("the call succeeded without a response message"));
    };
    let mut decoder = Decoder::new(max_receive);
    let message = loop {
        if let Some(message) = decoder.pop().map_err(Failure::frame)? {
            break message;
        }
        if !grpc_stream::receive(&mut body, &mut decoder).await? {
            grpc_stream::end(&mut body, &decoder).await?;
            return Err(Failure::malformed("the call succeeded without a response message"));
        }
    };
    // The lease is renewed, regardless of how the stream ends. Waiting for the end avoids a reset, of which
    // h2 remembers only a limited number.
    let _ = half.send_data(Bytes::new(), true);
    let ended = async { while matches!(grpc_stream::receive(&mut body, &mut decoder).await, Ok(true)) {} };
    let _ = timeout(FAREWELL, ended).await;
    match decoder.pop() {
        Ok(None) => Ok(message),
        _ => Err(Failure::malformed("the response of a unary call contains two messages")),
    }
}
