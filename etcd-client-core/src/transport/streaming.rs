//! Server-streaming calls: one request, many messages, a status.

use std::{
    marker::PhantomData,
    sync::{Arc, atomic::AtomicBool},
};

use bytes::Bytes;
use etcd_errors::Error;
use h2::RecvStream;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::{
    call::{Call, deadline_passed},
    channel::Channel,
    connection::{Connection, InFlight, StreamPlace},
    exchange,
    failure::Failure,
    method::Method,
    progress::Progress,
};
use crate::mechanism::{
    grpc::frame::{self, Decoder},
    retry::Observation,
};

/// The messages of one response. Dropping it resets the stream, which cancels the call on the server.
#[derive(Debug)]
pub(crate) struct MessageStream<Resp> {
    /// `None` once the call has ended successfully.
    body: Option<RecvStream>,
    decoder: Decoder,
    flight: InFlight,
    /// `None` for a stream that is always read immediately.
    _place: Option<StreamPlace>,
    message: PhantomData<fn() -> Resp>,
}

impl Channel {
    /// Sends `request` and waits for the response head, within the call's deadline. Retries as the call's class
    /// allows, while nothing of the response has arrived.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn server_stream<Resp: prost::Message + Default>(
        &self,
        call: Call<'_>,
        request: &impl prost::Message,
    ) -> Result<MessageStream<Resp>, Error> {
        let mut progress = Progress::start(self, call)?;
        loop {
            let flight = progress.stream_connection(self).await?;
            let connection = Arc::clone(&flight.connection);
            let failure = match connection.stream_place() {
                // Treated as a failed attempt, so that another connection or member is tried.
                None => {
                    drop(flight);
                    Failure::new(
                        Observation::NotSent,
                        "the limit of unread streams on the connection is reached",
                    )
                }
                Some(place) => {
                    let headers = progress.headers_without_timeout(self);
                    let frame = frame::encode(request);
                    let limit = self.max_receive_bytes();
                    let opened =
                        open((flight, Some(place)), call.method, headers, frame, limit, progress.deadline);
                    let begun = AtomicBool::new(false);
                    match progress.lookout(self, &connection, &begun).wait(opened).await {
                        Ok(messages) => {
                            progress.finished(&connection);
                            return Ok(messages);
                        }
                        Err(failure) => failure,
                    }
                }
            };
            progress.record(self, &connection, &failure);
            progress.next(self, failure).await?;
        }
    }
}

/// Sends `frame` and waits for the response head, until `deadline`.
pub(crate) async fn open<Resp: prost::Message + Default>(
    (mut flight, place): (InFlight, Option<StreamPlace>),
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    deadline: Option<Instant>,
) -> Result<MessageStream<Resp>, Failure> {
    let response = exchange::send(&flight.connection, method, headers, frame)?;
    let response = async { response.await.map_err(|error| Failure::stream(&error)) };
    let body = exchange::body(within(deadline, response).await?)?;
    // Until the first call of `next` no reader waits for data, so silence is no reason to probe the member.
    flight.set_resting(true);
    Ok(MessageStream {
        body,
        decoder: Decoder::new(max_receive),
        flight,
        _place: place,
        message: PhantomData,
    })
}

impl<Resp: prost::Message + Default> MessageStream<Resp> {
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.flight.connection
    }

    /// Returns the next message, or `None` after the last one of a successful call. Waits until `deadline`.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Resp>, Failure> {
        let Self { body, decoder, flight, .. } = self;
        let _read = Reading::begin(flight);
        within(deadline, receive(body, decoder)).await
    }
}

/// Marks the stream as awaited while it exists: the peer owes data.
struct Reading<'a>(&'a mut InFlight);

impl<'a> Reading<'a> {
    fn begin(flight: &'a mut InFlight) -> Self {
        flight.set_resting(false);
        Self(flight)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.set_resting(true);
    }
}

async fn receive<Resp: prost::Message + Default>(
    stream: &mut Option<RecvStream>,
    decoder: &mut Decoder,
) -> Result<Option<Resp>, Failure> {
    let Some(body) = stream else { return Ok(None) };
    loop {
        if let Some(message) = decoder.pop().map_err(Failure::frame)? {
            return Resp::decode(message).map(Some).map_err(|error| Failure::decode(&error));
        }
        if !exchange::receive(body, decoder).await? {
            break;
        }
    }
    exchange::end(body, decoder).await?;
    *stream = None;
    Ok(None)
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
