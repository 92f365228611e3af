//! A bidirectional streaming call. One task drives both directions.

use std::{
    future::{Future as _, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, SendStream, client::ResponseFuture};
use http::HeaderMap;

use crate::transport::{
    connection::{
        grpc_stream,
        verified::{Connection, Permit},
    },
    grpc::{failure::Failure, frame, frame::Decoder, method::Method},
};

/// The maximum number of bytes handed to the connection at once.
const CHUNK: usize = 16 << 10;

/// A bidirectional stream. Dropping it resets the stream, which cancels the call on the server.
#[derive(Debug)]
pub(crate) struct Duplex<Resp> {
    send: SendStream<Bytes>,
    /// Requests that the connection has not accepted yet.
    unsent: BytesMut,
    answer: Answer,
    decoder: Decoder,
    permit: Permit,
    message: PhantomData<fn() -> Resp>,
}

#[derive(Debug)]
enum Answer {
    /// Waiting for the response head. Servers send it together with the first message.
    Head(ResponseFuture),
    Body(RecvStream),
    Ended,
}

impl<Resp: prost::Message + Default> Duplex<Resp> {
    /// Sends the head of the request without waiting.
    pub(crate) fn open(
        permit: Permit,
        method: Method,
        headers: HeaderMap,
        max_receive: usize,
    ) -> Result<Self, Failure> {
        let (head, send) = grpc_stream::open(&permit.connection, method, headers)?;
        Ok(Self {
            send,
            unsent: BytesMut::new(),
            answer: Answer::Head(head),
            decoder: Decoder::new(max_receive),
            permit,
            message: PhantomData,
        })
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.permit.connection
    }

    /// Queues a request, which [`next`](Self::next) sends. The caller bounds the amount of queued data.
    pub(crate) fn push(&mut self, request: &impl prost::Message) {
        frame::append(request, &mut self.unsent);
    }

    /// Sends queued requests and waits for a message. Returns `None` after the last message of a successful call.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Resp>, Failure> {
        loop {
            if let Some(message) = self.decoder.pop().map_err(Failure::frame)? {
                return Resp::decode(message).map(Some).map_err(|error| Failure::decode(&error));
            }
            if !poll_fn(|cx| self.poll(cx)).await? {
                break;
            }
        }
        if let Answer::Body(body) = &mut self.answer {
            grpc_stream::end(body, &self.decoder).await?;
            self.answer = Answer::Ended;
        }
        Ok(None)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        // The sending direction goes first and never blocks the receiving one: a peer that stops reading
        // until its responses are read must not cause a deadlock.
        self.poll_send(cx);
        loop {
            match &mut self.answer {
                Answer::Ended => return Poll::Ready(Ok(false)),
                Answer::Head(head) => {
                    let head = ready!(Pin::new(head).poll(cx)).map_err(|error| Failure::stream(&error))?;
                    self.permit.connection.load.answered();
                    self.answer = grpc_stream::body(head)?.map_or(Answer::Ended, Answer::Body);
                }
                Answer::Body(body) => {
                    let Some(payload) = ready!(body.poll_data(cx)) else { return Poll::Ready(Ok(false)) };
                    let payload = payload.map_err(|error| Failure::after_head(&error))?;
                    // Releasing fails only if the stream has ended, and then its window no longer matters.
                    let _ = body.flow_control().release_capacity(payload.len());
                    self.decoder.push(payload);
                    return Poll::Ready(Ok(true));
                }
            }
        }
    }

    /// Sends as much as the flow-control window allows. If the stream accepts no more data, the response contains the
    /// reason.
    fn poll_send(&mut self, cx: &mut Context<'_>) {
        while !self.unsent.is_empty() {
            let capacity = self.send.capacity();
            if capacity > 0 {
                let chunk = self.unsent.split_to(capacity.min(self.unsent.len())).freeze();
                if self.send.send_data(chunk, false).is_err() {
                    self.unsent.clear();
                }
                continue;
            }
            // Reserved in chunks, because h2 assigns reserved window exclusively: one large request would
            // starve the other streams of the connection.
            self.send.reserve_capacity(self.unsent.len().min(CHUNK));
            match self.send.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => self.unsent.clear(),
                Poll::Pending => return,
            }
        }
    }
}
