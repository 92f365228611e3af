//! A server-streaming call on the direct path: one request, many messages, a status.

use std::marker::PhantomData;

use bytes::Bytes;
use http::{HeaderMap, Request, Version};
use tokio::time::{Instant, timeout_at};

use super::{
    attempt::{Failure, not_grpc, not_sent},
    call::deadline_passed,
    connection::InFlight,
    method::Method,
};
use crate::mechanism::{
    grpc::{
        frame::Decoder,
        status::{self, Head},
    },
    retry::Observation,
};

/// The messages of one answer. Dropping it resets the stream, which cancels the call on the server.
#[derive(Debug)]
pub(crate) struct MessageStream<Resp> {
    body: h2::RecvStream,
    decoder: Decoder,
    flight: InFlight,
    /// The header block said that the call succeeded: no message and no trailers follow.
    ended: bool,
    message: PhantomData<fn() -> Resp>,
}

/// Sends `frame` and waits for the head of the answer, until `deadline`.
pub(crate) async fn open<Resp: prost::Message + Default>(
    flight: InFlight,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    deadline: Option<Instant>,
) -> Result<MessageStream<Resp>, Failure> {
    let connection = &flight.connection;
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = connection.uri(method);
    *request.headers_mut() = headers;
    let (response, mut body) =
        connection.sender().send_request(request, false).map_err(|error| not_sent(&error))?;
    body.send_data(frame, true).map_err(|error| Failure::stream(&error))?;
    let response = async { response.await.map_err(|error| Failure::stream(&error)) };
    let (head, body) = within(deadline, response).await?.into_parts();
    let ended = match status::head(head.status, &head.headers) {
        Head::Messages => false,
        Head::Ended(Ok(())) => true,
        Head::Ended(Err(status)) => return Err(Failure::status(status)),
        Head::NotGrpc(status) => return Err(not_grpc(status)),
    };
    Ok(MessageStream { body, decoder: Decoder::new(max_receive), flight, ended, message: PhantomData })
}

impl<Resp: prost::Message + Default> MessageStream<Resp> {
    /// The connection that carries the stream.
    pub(crate) fn flight(&self) -> &InFlight {
        &self.flight
    }

    /// The next message, until `deadline`; `None` after the last one of a call that succeeded.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Resp>, Failure> {
        within(deadline, self.receive()).await
    }

    async fn receive(&mut self) -> Result<Option<Resp>, Failure> {
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some(message) = self.decoder.pop().map_err(Failure::frame)? {
                return Resp::decode(message).map(Some).map_err(|error| Failure::decode(&error));
            }
            let Some(payload) = self.body.data().await else { break };
            let payload = payload.map_err(|error| Failure::stream(&error))?;
            // The stream may have ended meanwhile; its window is of no use then.
            let _ = self.body.flow_control().release_capacity(payload.len());
            self.decoder.push(payload);
        }
        let trailers = self.body.trailers().await.map_err(|error| Failure::stream(&error))?;
        match trailers.as_ref().and_then(status::status) {
            Some(Ok(())) if self.decoder.is_empty() => Ok(None),
            Some(Err(status)) => Err(Failure::status(status)),
            Some(Ok(())) => Err(Failure::new(Observation::Malformed, "the answer ends inside of a message")),
            None => Err(Failure::new(Observation::Lost, "the answer ended without a status")),
        }
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
