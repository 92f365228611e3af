//! Sends the messages of a call while waiting for the head of its response.

use std::{future::poll_fn, pin::pin};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, client::ResponseFuture};
use http::Response;
use http_body::Body as _;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, body::Body};

use crate::transport::grpc::failure::Failure;

/// The task that sends the messages left when the response head arrived.
pub(crate) type UnsentRest = AbortOnDropHandle<Result<(), Status>>;

/// The reason why there is no response head.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    Failed(Failure),
    /// The stub failed to encode a message.
    Request(Status),
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Sends `body` until the head of the response arrives. A task then sends the rest.
///
/// # Cancel safety
///
/// Dropping the future resets the stream, which cancels the call on the server.
pub(crate) async fn receive(
    mut response: ResponseFuture,
    send: SendStream<Bytes>,
    body: Body,
) -> Result<(Response<RecvStream>, Option<UnsentRest>), NoAnswer> {
    let mut sending = Box::pin(send_body(send, body));
    let lost = |error: h2::Error| Failure::stream(&error);
    tokio::select! {
        // The head first: a member may respond before it has read all messages.
        biased;
        head = &mut response => {
            // A bidirectional stream responds before its requests end. Sending continues in a task, since the
            // caller polls only the response from here on.
            let rest = AbortOnDropHandle::new(tokio::spawn(sending));
            return Ok((head.map_err(lost)?, Some(rest)));
        }
        sent = &mut sending => sent.map_err(NoAnswer::Request)?,
    }
    Ok((response.await.map_err(lost)?, None))
}

/// Sends all messages. Returns early if the stream ends; the response contains the reason.
async fn send_body(mut send: SendStream<Bytes>, body: Body) -> Result<(), Status> {
    let mut body = pin!(body);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.inspect_err(|_| send.send_reset(Reason::CANCEL))?;
        let Ok(data) = frame.into_data() else { continue };
        if send_data(&mut send, data).await.is_err() {
            return Ok(());
        }
    }
    // An error means that the stream has ended, and the response reports it.
    let _ = send.send_data(Bytes::new(), true);
    Ok(())
}

/// The stream accepts no more data.
struct Ended;

async fn send_data(send: &mut SendStream<Bytes>, mut data: Bytes) -> Result<(), Ended> {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        let Some(Ok(capacity)) = poll_fn(|cx| send.poll_capacity(cx)).await else { return Err(Ended) };
        let chunk = data.split_to(capacity.min(data.len()));
        send.send_data(chunk, false).map_err(|_| Ended)?;
    }
    Ok(())
}
