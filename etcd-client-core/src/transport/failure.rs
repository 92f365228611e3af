//! Why an attempt gave no answer.

use std::borrow::Cow;

use etcd_errors::{Code, Error, ErrorKind, GrpcCode};

use super::driver::describe;
use crate::mechanism::{
    grpc::{frame::FrameError, status::Status},
    retry::Observation,
};

/// Why a try gave no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) observation: Observation,
    pub(crate) text: Cow<'static, str>,
    /// The status's gRPC code where the attempt ended with one: the table's code may differ between server versions.
    grpc: Option<GrpcCode>,
    /// Whether the whole connection ended, and the request was not processed for that reason alone.
    connection_ended: bool,
}

impl Failure {
    pub(crate) fn new(observation: Observation, text: impl Into<Cow<'static, str>>) -> Self {
        Self { observation, text: text.into(), grpc: None, connection_ended: false }
    }

    pub(crate) fn status(status: Status) -> Self {
        let code = Code::parse(status.code, &status.message);
        let outcome = code.outcome_with(&status.message);
        let text = if status.message.is_empty() {
            format!("{} without a message", status.code).into()
        } else {
            status.message.into()
        };
        let observation = Observation::Refused(code, outcome);
        Self { observation, text, grpc: Some(status.code), connection_ended: false }
    }

    pub(crate) fn malformed(text: impl Into<Cow<'static, str>>) -> Self {
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

    /// What h2 says when it does not take a request.
    pub(crate) fn not_sent(error: &h2::Error) -> Self {
        let connection_ended = error.is_go_away() || error.is_io();
        Self { connection_ended, ..Self::new(Observation::NotSent, describe(error)) }
    }

    /// An answer from something that is no gRPC server: a proxy's 503 may pass, anything else stays.
    pub(crate) fn not_grpc(status: Status) -> Self {
        if status.code == GrpcCode::Unavailable {
            Self::status(status)
        } else {
            Self::malformed(status.message)
        }
    }

    /// The answer is over, and nothing says how the call ended: etcd 3.4 with TLS ends streams so when it is terminated.
    pub(crate) fn without_status() -> Self {
        Self::new(Observation::Lost, "the answer ended without a status")
    }

    /// What h2 says of a stream, once the request may have left.
    pub(crate) fn stream(error: &h2::Error) -> Self {
        // h2 gives a stream the peer's GOAWAY only when the stream's id is above the last one that the peer processed.
        let unprocessed = error.is_remote()
            && (error.is_go_away()
                || (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)));
        let observation = if unprocessed { Observation::NotProcessed } else { Observation::Lost };
        Self {
            connection_ended: unprocessed && error.is_go_away(),
            ..Self::new(observation, describe(error))
        }
    }

    /// As [`stream`](Self::stream), once the head of the response has come: the server has processed the request at least
    /// in part, and an end that says otherwise (which RFC 9113 section 8.7 forbids) is not to be trusted.
    pub(crate) fn after_head(error: &h2::Error) -> Self {
        Self::new(Observation::Lost, describe(error))
    }

    /// Whether the request can be retried at once: it was not processed, and the connection that it was on is gone. The
    /// next attempt waits for another connection, which is backoff enough.
    pub(crate) fn is_free_to_retry(&self) -> bool {
        self.connection_ended
    }

    /// The same failure of a request of which nothing was written.
    pub(crate) fn unsent(self) -> Self {
        match self.observation {
            Observation::Lost => Self { observation: Observation::NotSent, ..self },
            _ => self,
        }
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
            Observation::NotSent | Observation::NotProcessed | Observation::Lost | Observation::Abandoned => {
                Error::new(ErrorKind::Unavailable, self.text)
            }
        }
    }
}
