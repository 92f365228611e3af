//! A call with streams both ways: messages are queued and sent while answers are read.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use etcd_errors::Error;
use h2::{RecvStream, SendStream, client::ResponseFuture};

use super::{
    channel::Channel,
    connection::{Connection, InFlight},
    exchange,
    failure::Failure,
    headers::TimeoutHeader,
    method::Method,
    token::Carried,
    wish::Wish,
};
use crate::{
    mechanism::{
        grpc::{
            frame::{self, Decoder},
            status,
        },
        rejection::{self, Remedy},
        retry::Observation,
    },
    service::CallOptions,
};

/// What may wait to be sent. A peer that takes nothing for so long is stuck.
const MOST_UNSENT: usize = 1 << 20;

/// A call with streams both ways. Dropping it resets the stream, which cancels the call on the server.
///
/// It does not keep its client open: it ends with the client's connections.
pub(crate) struct Duplex<Req, Resp> {
    send: SendStream<Bytes>,
    unsent: BytesMut,
    sending: Sending,
    answer: Answer,
    decoder: Decoder,
    /// Ends when the member goes away: left open the stream would hold up its exit.
    leaving: Pin<Box<dyn Future<Output = ()> + Send>>,
    flight: InFlight,
    carried: Carried,
    messages: PhantomData<fn(Req) -> Resp>,
}

/// How far the request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Open,
    /// Ends once all that is queued has been sent.
    Finishing,
    Ended,
}

/// How far the answer is.
enum Answer {
    Head(ResponseFuture),
    Messages(RecvStream),
    Trailers(RecvStream),
    Ended,
}

impl Channel {
    /// Opens a stream of `method` on a connection for streams. It has no deadline; a member sends the head of its answer with the
    /// first message, so that whether it takes the stream shows in [`Duplex::next`] only.
    ///
    /// Waits for a token where one is needed, and for a connection, as long as that takes. One attempt: nothing was sent where it
    /// fails. Cancel safe.
    pub(crate) async fn duplex<Req, Resp>(
        &self,
        method: Method,
        options: &CallOptions,
        wish: &Wish<'_>,
    ) -> Result<Duplex<Req, Resp>, Error> {
        let opened = self.open_duplex(method, options, wish).await;
        opened.map_err(|error| error.with_operation(method.operation()))
    }

    async fn open_duplex<Req, Resp>(
        &self,
        method: Method,
        options: &CallOptions,
        wish: &Wish<'_>,
    ) -> Result<Duplex<Req, Resp>, Error> {
        options.validate()?;
        self.pool().check_alive()?;
        if self.tokens().is_missing() {
            self.tokens().renew(self, Carried::default()).await?;
        }
        let flight = self.pool().acquire_stream(wish).await?;
        let (headers, carried) = self.tokens().headers(options, TimeoutHeader::None);
        let opened = exchange::open(&flight.connection, method, headers);
        let (response, send) = opened.map_err(Failure::into_error)?;
        let connection = Arc::clone(&flight.connection);
        Ok(Duplex {
            send,
            unsent: BytesMut::new(),
            sending: Sending::Open,
            answer: Answer::Head(response),
            decoder: Decoder::new(self.max_receive_bytes()),
            leaving: Box::pin(async move { connection.leaving().await }),
            flight,
            carried,
            messages: PhantomData,
        })
    }
}

impl<Req: prost::Message, Resp: prost::Message + Default> Duplex<Req, Resp> {
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.flight.connection
    }

    /// Whether [`send`](Self::send) takes another message.
    pub(crate) fn has_room(&self) -> bool {
        self.unsent.len() < MOST_UNSENT
    }

    /// Queues a message; `false` where too much waits already. It leaves while the next answer is waited for.
    #[must_use = "a message that was not taken has to be sent later"]
    pub(crate) fn send(&mut self, message: &Req) -> bool {
        let taken = self.has_room();
        if taken && self.sending == Sending::Open {
            frame::append(message, &mut self.unsent);
        }
        taken
    }

    /// Ends the request once all that is queued has been sent; the answer then ends by itself.
    pub(crate) fn finish(&mut self) {
        if self.sending == Sending::Open {
            self.sending = Sending::Finishing;
        }
    }

    /// Sends what is queued and waits for the next message; `None` after the last one of a call that succeeded, and after a
    /// failure.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Resp>, Failure> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// What to do about the token where `failure` is that it was rejected, for the `rejections`-th time in a row. Where that is
    /// getting another one, the next stream does so before it opens.
    pub(crate) fn rejected(&self, channel: &Channel, failure: &Failure, rejections: u32) -> Option<Remedy> {
        let tokens = channel.tokens();
        let had_token = self.carried.had_token();
        let remedy = rejection::remedy(tokens.kind(), failure.observation, had_token, rejections);
        if remedy == Some(Remedy::Renew) {
            tokens.reject(self.carried);
        }
        remedy
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Resp>, Failure>> {
        self.push(cx);
        let next = ready!(self.poll_message(cx));
        if !matches!(next, Ok(Some(_))) {
            self.answer = Answer::Ended;
            self.sending = Sending::Ended;
            self.unsent.clear();
        }
        Poll::Ready(next)
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Resp>, Failure>> {
        loop {
            if let Some(message) = self.decoder.pop().map_err(Failure::frame)? {
                return Poll::Ready(Resp::decode(message).map(Some).map_err(|error| Failure::decode(&error)));
            }
            let more = match self.poll_answer(cx) {
                Poll::Ready(more) => more?,
                Poll::Pending => {
                    ready!(self.leaving.as_mut().poll(cx));
                    return Poll::Ready(Err(Failure::new(
                        Observation::Lost,
                        "the member is going away, and the stream has no end of its own",
                    )));
                }
            };
            if !more {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Reads the next piece of the answer; `false` after the last one.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        let lost = |error: h2::Error| Failure::stream(&error);
        match &mut self.answer {
            Answer::Ended => return Poll::Ready(Ok(false)),
            Answer::Head(response) => {
                let response = ready!(Pin::new(response).poll(cx)).map_err(lost)?;
                self.answer = exchange::body(response)?.map_or(Answer::Ended, Answer::Messages);
            }
            Answer::Messages(body) => match ready!(body.poll_data(cx)) {
                Some(payload) => {
                    let payload = payload.map_err(lost)?;
                    // The stream may have ended meanwhile; its window is of no use then.
                    let _ = body.flow_control().release_capacity(payload.len());
                    self.decoder.push(payload);
                }
                None => {
                    let Answer::Messages(body) = std::mem::replace(&mut self.answer, Answer::Ended) else {
                        return Poll::Ready(Ok(false));
                    };
                    self.answer = Answer::Trailers(body);
                }
            },
            Answer::Trailers(body) => {
                let trailers = ready!(body.poll_trailers(cx)).map_err(lost)?;
                exchange::judge_end(trailers.as_ref().and_then(status::status), &self.decoder)?;
                self.answer = Answer::Ended;
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Hands to the connection what it takes. Where the stream has ended the answer says why.
    fn push(&mut self, cx: &mut Context<'_>) {
        while !self.unsent.is_empty() {
            self.send.reserve_capacity(self.unsent.len());
            let mut room = self.send.capacity();
            if room == 0 {
                room = match self.send.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(room))) => room,
                    Poll::Ready(_ended) => return self.unsent.clear(),
                    Poll::Pending => return,
                };
            }
            let part = self.unsent.split_to(room.min(self.unsent.len())).freeze();
            if self.send.send_data(part, false).is_err() {
                return self.unsent.clear();
            }
        }
        if self.sending == Sending::Finishing {
            let _ = self.send.send_data(Bytes::new(), true);
            self.sending = Sending::Ended;
        }
    }
}

impl<Req, Resp> fmt::Debug for Duplex<Req, Resp> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex")
            .field("endpoint", &self.flight.connection.endpoint())
            .field("sending", &self.sending)
            .finish_non_exhaustive()
    }
}
