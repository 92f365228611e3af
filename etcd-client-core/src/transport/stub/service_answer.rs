//! Reads and validates the responses of a service.

use std::{future::poll_fn, marker::PhantomData, pin::Pin};

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};
use http::Response;
use http_body::Body as _;
use tokio::{sync::oneshot, time::timeout};
use tonic::{Status, body::Body};

use crate::transport::{
    call::{attempt::FAREWELL, retry},
    grpc::{
        failure::Failure,
        frame::Decoder,
        observation::{Class, Observation},
        status,
        status::Head,
    },
    stub::service::Unanswered,
};

/// The reason why a call through a service failed.
#[derive(Debug)]
pub(crate) enum CallFailure {
    /// A failure of the same kind as on one of the client's own connections.
    Failure(Failure),
    /// An error of the service or of its response body.
    Service(Unanswered),
    /// An invalid response.
    Answer(Error),
}

impl From<Failure> for CallFailure {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl CallFailure {
    /// Converts to the caller's error. The outcome follows from the table in `retry` and from the status; what the
    /// service did with the request is not visible.
    pub(crate) fn into_error(self, class: Class) -> Error {
        let (error, outcome) = match self {
            Self::Failure(failure) => {
                let outcome = retry::outcome(class, failure.observation);
                (failure.into_error(), outcome)
            }
            Self::Answer(error) => (error, retry::outcome(class, Observation::Malformed)),
            Self::Service(Unanswered::NotReady(status)) => (not_ready(status), Outcome::NotApplied),
            Self::Service(Unanswered::Failed(status)) => {
                let error = etcd_errors::tonic::from_status(status);
                let outcome = error.outcome();
                (error, outcome)
            }
        };
        // A read has no side effects, so its outcome is never unknown.
        error.with_outcome(if class == Class::Read { Outcome::NotApplied } else { outcome })
    }
}

/// Converts a readiness error. The status of a foreign error is not from etcd, so only its text is kept.
fn not_ready(status: Status) -> Error {
    let error = etcd_errors::tonic::from_status(status);
    if error.kind() != ErrorKind::Server {
        return error;
    }
    Error::new(ErrorKind::Unavailable, error.message().to_owned())
}

/// The messages of one response. Dropping it drops the service's body, which cancels the call.
pub(crate) struct Messages<Resp> {
    /// `None` once the call has ended successfully.
    body: Option<Body>,
    decoder: Decoder,
    message: PhantomData<fn() -> Resp>,
}

impl<Resp: prost::Message + Default> Messages<Resp> {
    pub(crate) fn new(response: Response<Body>, max_receive: usize) -> Result<Self, CallFailure> {
        let (head, body) = response.into_parts();
        let body = match status::head(head.status, &head.headers, body.is_end_stream()) {
            Head::Messages => Some(body),
            Head::Ended(Ok(())) => None,
            Head::Ended(Err(status)) => return Err(Failure::status(status).into()),
            Head::Nothing => return Err(Failure::without_status().into()),
            Head::NotGrpc(status) => return Err(Failure::not_grpc(status).into()),
        };
        Ok(Self { body, decoder: Decoder::new(max_receive), message: PhantomData })
    }

    /// Returns the next message, or `None` after the last one of a successful call.
    pub(crate) async fn next(&mut self) -> Result<Option<Resp>, CallFailure> {
        loop {
            if let Some(message) = self.decoder.pop().map_err(Failure::frame)? {
                return Ok(Some(decode(message)?));
            }
            let Some(body) = &mut self.body else { return Ok(None) };
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
            let frame =
                frame.transpose().map_err(|status| CallFailure::Service(Unanswered::Failed(status)))?;
            let Some(frame) = frame else {
                return Err(Failure::without_status().into());
            };
            match frame.into_data() {
                Ok(data) => self.decoder.push(data),
                Err(frame) => {
                    let Ok(trailers) = frame.into_trailers() else { continue };
                    self.end(status::status(&trailers))?;
                }
            }
        }
    }

    fn end(&mut self, status: Option<Result<(), status::Status>>) -> Result<(), Failure> {
        match status {
            Some(Ok(())) if self.decoder.is_empty() => {
                self.body = None;
                Ok(())
            }
            Some(Ok(())) => Err(Failure::malformed("the response ends within a message")),
            Some(Err(status)) => Err(Failure::status(status)),
            None => Err(Failure::without_status()),
        }
    }

    /// Returns the single message of a unary response. `hold` keeps the request open until the message has arrived;
    /// the status of such a stream after its message does not affect the result.
    pub(crate) async fn only(mut self, hold: Option<oneshot::Sender<()>>) -> Result<Resp, CallFailure> {
        let Some(message) = self.next().await? else {
            return Err(Failure::malformed("the call succeeded without a message").into());
        };
        let end = match hold {
            Some(hold) => {
                drop(hold);
                // The stream gets a moment to end by itself; dropping it would reset it.
                timeout(FAREWELL, self.next()).await.ok().and_then(Result::ok).flatten()
            }
            None => self.next().await?,
        };
        match end {
            None => Ok(message),
            Some(_) => Err(Failure::malformed("the response of a unary call contains two messages").into()),
        }
    }
}

fn decode<Resp: prost::Message + Default>(message: Bytes) -> Result<Resp, Failure> {
    Resp::decode(message).map_err(|error| Failure::decode(&error))
}
