//! A server-streaming call on the direct path: one request, many messages, a status.

use std::marker::PhantomData;

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::{
    call::deadline_passed,
    connection::{Connection, InFlight, StreamPlace},
    exchange,
    failure::Failure,
    method::Method,
};
use crate::mechanism::grpc::frame::Decoder;

/// The messages of one answer. Dropping it resets the stream, which cancels the call on the server.
#[derive(Debug)]
pub(crate) struct MessageStream<Resp> {
    /// `None` once the call has ended well.
    body: Option<RecvStream>,
    decoder: Decoder,
    flight: InFlight,
    _place: StreamPlace,
    message: PhantomData<fn() -> Resp>,
}

/// Sends `frame` and waits for the head of the answer, until `deadline`.
pub(crate) async fn open<Resp: prost::Message + Default>(
    (flight, place): (InFlight, StreamPlace),
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    deadline: Option<Instant>,
) -> Result<MessageStream<Resp>, Failure> {
    let response = exchange::send(&flight.connection, method, headers, frame)?;
    let response = async { response.await.map_err(|error| Failure::stream(&error)) };
    let body = exchange::body(within(deadline, response).await?)?;
    Ok(MessageStream {
        body,
        decoder: Decoder::new(max_receive),
        flight,
        _place: place,
        message: PhantomData,
    })
}

impl<Resp: prost::Message + Default> MessageStream<Resp> {
    pub(crate) fn connection(&self) -> &Connection {
        &self.flight.connection
    }

    /// The next message, until `deadline`; `None` after the last one of a call that succeeded.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Resp>, Failure> {
        within(deadline, self.receive()).await
    }

    async fn receive(&mut self) -> Result<Option<Resp>, Failure> {
        let Some(body) = &mut self.body else { return Ok(None) };
        loop {
            if let Some(message) = self.decoder.pop().map_err(Failure::frame)? {
                return Resp::decode(message).map(Some).map_err(|error| Failure::decode(&error));
            }
            if !exchange::receive(body, &mut self.decoder).await? {
                break;
            }
        }
        exchange::end(body, &self.decoder).await?;
        self.body = None;
        Ok(None)
    }
}

async fn within<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work).await.unwrap_or_else(|_| Err(deadline_passed())),
        None => work.await,
    }
}
