//! The messages of a server-streaming response on one connection.

use std::{marker::PhantomData, sync::Arc};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use crate::transport::{
    connection::{
        grpc_stream,
        verified::{Connection, Permit, StreamPermit},
    },
    grpc::{
        failure::{Failure, deadline_passed},
        frame::Decoder,
        method::Method,
    },
};

/// The messages of one response. Dropping it resets the stream, which cancels the call on the server.
#[derive(Debug)]
pub(crate) struct MessageStream<Resp> {
    /// `None` once the call has ended successfully.
    body: Option<RecvStream>,
    decoder: Decoder,
    permit: Permit,
    /// `None` for a stream that is always read immediately.
    _stream_permit: Option<StreamPermit>,
    message: PhantomData<fn() -> Resp>,
}

/// Sends `frame` and waits for the response head, until `deadline`.
pub(crate) async fn open<Resp: prost::Message + Default>(
    (mut permit, stream_permit): (Permit, Option<StreamPermit>),
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    deadline: Option<Instant>,
) -> Result<MessageStream<Resp>, Failure> {
    let response = grpc_stream::send(&permit.connection, method, headers, frame)?;
    let response = async { response.await.map_err(|error| Failure::stream(&error)) };
    let body = grpc_stream::body(within(deadline, response).await?)?;
    // Until the first call of `next` no reader waits for data, so silence is no reason to probe the member.
    permit.set_resting(true);
    Ok(MessageStream {
        body,
        decoder: Decoder::new(max_receive),
        permit,
        _stream_permit: stream_permit,
        message: PhantomData,
    })
}

impl<Resp: prost::Message + Default> MessageStream<Resp> {
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.permit.connection
    }

    /// Returns the next message, or `None` after the last one of a successful call. Waits until `deadline`.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Resp>, Failure> {
        let Self { body, decoder, permit, .. } = self;
        let _read = Reading::begin(permit);
        within(deadline, receive(body, decoder)).await
    }
}

/// Marks the stream as awaited while it exists: the peer owes data.
pub(crate) struct Reading<'a>(&'a mut Permit);

impl<'a> Reading<'a> {
    fn begin(permit: &'a mut Permit) -> Self {
        permit.set_resting(false);
        Self(permit)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // A guard, because the future of `next` may be dropped while it waits.
        self.0.set_resting(true);
    }
}

pub(crate) async fn receive<Resp: prost::Message + Default>(
    stream: &mut Option<RecvStream>,
    decoder: &mut Decoder,
) -> Result<Option<Resp>, Failure> {
    let Some(body) = stream else { return Ok(None) };
    loop {
        if let Some(message) = decoder.pop().map_err(Failure::frame)? {
            return Resp::decode(message).map(Some).map_err(|error| Failure::decode(&error));
        }
        if !grpc_stream::receive(body, decoder).await? {
            break;
        }
    }
    grpc_stream::end(body, decoder).await?;
    *stream = None;
    Ok(None)
}

pub(crate) async fn within<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work).await.unwrap_or_else(|_| Err(deadline_passed())),
        None => work.await,
    }
}
