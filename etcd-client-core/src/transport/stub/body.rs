//! Response bodies of stub calls.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use crate::transport::{
    connection::verified::Permit,
    grpc::{
        failure::{Failure, deadline_passed},
        observation::Observation,
    },
    pool::closed,
    stub::{
        answer::UnsentRest,
        stub_call::{Kind, StubCall},
    },
};

/// The response body of a stub call. Dropping it cancels the call. The default is an empty body, for use by
/// interceptors.
#[derive(Debug, Default)]
pub struct ResponseBody {
    /// `None` once the call has ended, so that the stream and its slot on the connection are released immediately.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    call: StubCall,
    permit: Permit,
    recv: RecvStream,
    _unsent_rest: Option<UnsentRest>,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Completes when an endless stream must be closed; see [`Kind::EndlessStream`].
    closing: Option<Closing>,
    data_ended: bool,
}

struct Closing(Pin<Box<dyn Future<Output = ()> + Send>>);

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving")
    }
}

impl ResponseBody {
    pub(crate) fn new(
        call: StubCall,
        permit: Permit,
        recv: RecvStream,
        unsent_rest: Option<UnsentRest>,
        deadline: Option<Instant>,
    ) -> Self {
        let deadline = deadline.map(|deadline| Box::pin(sleep_until(deadline)));
        let closing = (call.kind() == Kind::EndlessStream).then(|| {
            let connection = Arc::clone(&permit.connection);
            Closing(Box::pin(async move { connection.closing().await }))
        });
        let open =
            Open { call, permit, recv, _unsent_rest: unsent_rest, deadline, closing, data_ended: false };
        Self { open: Some(open) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(open) = &mut self.open else { return Poll::Ready(None) };
        let polled = open.poll_next(cx);
        // A stream without a natural end always expects data, so silence on it never counts as rest: the
        // connection keeps probing the member with PINGs.
        open.permit.set_resting(polled.is_ready() && open.closing.is_none());
        let next = ready!(polled).map(|next| next.map_err(|failure| open.failed(failure)));
        if !matches!(&next, Some(Ok(frame)) if frame.is_data()) {
            self.open = None;
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.recv.is_end_stream())
    }
}

impl Open {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(deadline_passed())));
        }
        let broken = |error: h2::Error| Failure::after_head(&error);
        if !self.data_ended {
            match self.recv.poll_data(cx) {
                Poll::Ready(Some(data)) => {
                    return Poll::Ready(Some(data.map(|data| self.taken(data)).map_err(broken)));
                }
                Poll::Ready(None) => self.data_ended = true,
                Poll::Pending => {
                    ready!(self.poll_closing(cx));
                    return Poll::Ready(Some(Err(Failure::new(
                        Observation::Lost,
                        "the member is shutting down; open the stream again",
                    ))));
                }
            }
        }
        self.recv.poll_trailers(cx).map(|trailers| {
            trailers.map_err(broken).map(|trailers| trailers.map(Frame::trailers)).transpose()
        })
    }

    fn poll_closing(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.closing.as_mut().map_or(Poll::Pending, |closing| closing.0.as_mut().poll(cx))
    }

    fn taken(&mut self, data: Bytes) -> Frame<Bytes> {
        // Releasing fails only if the stream has ended, and then its window no longer matters.
        let _ = self.recv.flow_control().release_capacity(data.len());
        Frame::data(data)
    }

    fn failed(&self, failure: Failure) -> Status {
        self.call.failed(&self.permit, failure, self.permit.connection.is_shut_down().then(closed))
    }
}
