//! One try of one unary call on one connection.

use std::borrow::Cow;

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind, GrpcCode};
use http::{HeaderMap, Request, Version};

use super::{connection::InFlight, driver::describe, method::Method};
use crate::mechanism::{
    grpc::{
        frame::{Decoder, FrameError},
        status::{self, Head, Status},
    },
    retry::Observation,
};

/// Why a try gave no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) observation: Observation,
    pub(crate) text: Cow<'static, str>,
    /// The status's gRPC code where the attempt ended with one: the table's code may differ between server versions.
    grpc: Option<GrpcCode>,
}

impl Failure {
    pub(crate) fn new(observation: Observation, text: impl Into<Cow<'static, str>>) -> Self {
        Self { observation, text: text.into(), grpc: None }
    }

    pub(crate) fn status(status: Status) -> Self {
        let code = Code::parse(status.code, &status.message);
        let outcome = code.outcome_with(&status.message);
        let text = if status.message.is_empty() {
            format!("{} without a message", status.code).into()
        } else {
            status.message.into()
        };
        Self { observation: Observation::Refused(code, outcome), text, grpc: Some(status.code) }
    }

    fn malformed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Observation::Malformed, text)
    }

    pub(crate) fn frame(error: FrameError) -> Self {
        match error {
            FrameError::Compressed => Self::malformed("the answer is compressed, which was not offered"),
            FrameError::TooLarge { length, limit } => {
                let mut failure = Self::malformed(format!(
                    "the answer is too large: {length} bytes, and max_receive_bytes is {limit}"
                ));
                failure.grpc = Some(GrpcCode::ResourceExhausted);
                failure
            }
        }
    }

    pub(crate) fn decode(error: &prost::DecodeError) -> Self {
        Self::malformed(format!("the answer is no message of the etcd API: {error}"))
    }

    /// What h2 says of a stream, once the request may have left.
    pub(crate) fn stream(error: &h2::Error) -> Self {
        // h2 gives a stream the peer's GOAWAY only when the stream's id is above the last one that the peer processed.
        let unprocessed = error.is_remote()
            && (error.is_go_away()
                || (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)));
        let observation = if unprocessed { Observation::NotProcessed } else { Observation::Lost };
        Self::new(observation, describe(error))
    }

    /// The caller's error, without the history of the call.
    pub(crate) fn into_error(self) -> Error {
        match self.observation {
            Observation::Refused(code, _) => {
                Error::from_server(self.grpc.unwrap_or_else(|| code.grpc()), self.text)
            }
            Observation::Malformed => {
                let error = Error::new(ErrorKind::Protocol, self.text);
                match self.grpc {
                    Some(grpc) => error.with_code(Code::Other(grpc)),
                    None => error,
                }
            }
            Observation::DeadlinePassed => Error::new(ErrorKind::Timeout, self.text),
            Observation::NotSent | Observation::NotProcessed | Observation::Lost => {
                Error::new(ErrorKind::Unavailable, self.text)
            }
        }
    }
}

/// Sends `frame` and reads the one message of the answer.
///
/// Dropping the future resets the stream, which cancels the call on the server.
pub(crate) async fn unary(
    flight: &InFlight,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
) -> Result<Bytes, Failure> {
    let connection = &flight.connection;
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = connection.uri(method);
    *request.headers_mut() = headers;
    let (response, mut body) =
        connection.sender().send_request(request, false).map_err(|error| not_sent(&error))?;
    body.send_data(frame, true).map_err(|error| Failure::stream(&error))?;
    let (head, mut body) = response.await.map_err(|error| Failure::stream(&error))?.into_parts();
    match status::head(head.status, &head.headers) {
        Head::Messages => {}
        Head::Ended(Err(status)) => return Err(Failure::status(status)),
        Head::Ended(Ok(())) => return Err(Failure::malformed("the call succeeded without an answer")),
        Head::NotGrpc(status) => return Err(not_grpc(status)),
    }
    let mut decoder = Decoder::new(max_receive);
    let mut message = None;
    while let Some(payload) = body.data().await {
        let payload = payload.map_err(|error| Failure::stream(&error))?;
        // The stream may have ended meanwhile; its window is of no use then.
        let _ = body.flow_control().release_capacity(payload.len());
        decoder.push(payload);
        while let Some(next) = decoder.pop().map_err(Failure::frame)? {
            if message.replace(next).is_some() {
                return Err(Failure::malformed("the answer of a unary call holds two messages"));
            }
        }
    }
    let trailers = body.trailers().await.map_err(|error| Failure::stream(&error))?;
    match trailers.as_ref().and_then(status::status) {
        Some(Ok(())) => {}
        Some(Err(status)) => return Err(Failure::status(status)),
        // etcd 3.4 with TLS ends streams so when it is terminated.
        None => return Err(Failure::new(Observation::Lost, "the answer ended without a status")),
    }
    match message {
        Some(message) if decoder.is_empty() => Ok(message),
        Some(_) => Err(Failure::malformed("the answer ends inside of a message")),
        None => Err(Failure::malformed("the call succeeded without a whole message")),
    }
}

pub(crate) fn not_sent(error: &h2::Error) -> Failure {
    Failure::new(Observation::NotSent, describe(error))
}

/// An answer from something that is no gRPC server: a proxy's 503 may pass, anything else stays.
pub(crate) fn not_grpc(status: Status) -> Failure {
    if status.code == GrpcCode::Unavailable {
        Failure::status(status)
    } else {
        Failure::malformed(status.message)
    }
}
