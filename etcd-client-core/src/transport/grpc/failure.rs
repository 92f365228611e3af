//! Failures of attempts.

use std::borrow::Cow;

use etcd_errors::{Attempt, Code, Error, ErrorKind, ErrorTopic, GrpcCode};

use crate::transport::grpc::{frame::FrameError, observation::Observation, status::Status};

/// The reason why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) observation: Observation,
    pub(crate) text: Cow<'static, str>,
    /// The gRPC code of the status, if there was one. The code in the table may differ between server versions.
    grpc: Option<GrpcCode>,
    /// `true` if the connection ended, and that is the only reason why the request was not processed.
    connection_ended: bool,
    topic: Option<ErrorTopic>,
}

impl Failure {
    pub(crate) fn new(observation: Observation, text: impl Into<Cow<'static, str>>) -> Self {
        Self { observation, text: text.into(), grpc: None, connection_ended: false, topic: None }
    }

    pub(crate) fn status(status: Status) -> Self {
        let code = Code::parse(status.code, &status.message);
        let outcome = code.outcome_with(&status.message);
        let text = if status.message.is_empty() {
            format!("{} without a message", status.code).into()
        } else {
            status.message.into()
        };
        let observation = Observation::Rejected(code, outcome);
        Self { observation, text, grpc: Some(status.code), connection_ended: false, topic: None }
    }

    pub(crate) fn malformed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Observation::Malformed, text)
    }

    pub(crate) fn frame(error: FrameError) -> Self {
        match error {
            FrameError::Compressed => {
                Self::malformed("the response is compressed, although no compression was offered")
            }
            FrameError::TooLarge { length, limit } => {
                let mut failure = Self::malformed(format!(
                    "the response has {length} bytes; the limit is max_receive_bytes = {limit}"
                ));
                failure.grpc = Some(GrpcCode::ResourceExhausted);
                failure
            }
        }
    }

    pub(crate) fn decode(error: &prost::DecodeError) -> Self {
        Self::malformed(format!("the response is not a valid message of the etcd API: {error}"))
    }

    /// Describes an error of h2 for a request that it did not accept.
    pub(crate) fn not_sent(error: &h2::Error) -> Self {
        let connection_ended = error.is_go_away() || error.is_io();
        Self { connection_ended, ..Self::new(Observation::NotSent, describe(error)) }
    }

    /// Describes a response of a server that does not speak gRPC. A proxy's 503 is temporary; any other status is
    /// permanent.
    pub(crate) fn not_grpc(status: Status) -> Self {
        if status.code == GrpcCode::Unavailable {
            Self { topic: Some(ErrorTopic::Proxy), ..Self::status(status) }
        } else {
            Self::malformed(status.message)
        }
    }

    /// The response ended without a status. etcd 3.4 with TLS ends streams this way when it is terminated.
    pub(crate) fn without_status() -> Self {
        Self::new(Observation::Lost, "the response ended without a status")
    }

    /// Describes an error of h2 for a stream whose request may have been sent.
    pub(crate) fn stream(error: &h2::Error) -> Self {
        // h2 reports the peer's GOAWAY on a stream only if its id is above the last one that the peer
        // processed (RFC 9113 section 6.8). Such a request, and one reset with REFUSED_STREAM (section 8.7),
        // was not processed.
        let unprocessed = error.is_remote()
            && (error.is_go_away()
                || (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)));
        let observation = if unprocessed { Observation::NotProcessed } else { Observation::Lost };
        Self {
            connection_ended: unprocessed && error.is_go_away(),
            ..Self::new(observation, describe(error))
        }
    }

    /// Like [`stream`](Self::stream), after the response head has arrived. The server has processed at least a part of
    /// the request by then. An error that claims otherwise violates RFC 9113 section 8.7 and is not trusted.
    pub(crate) fn after_head(error: &h2::Error) -> Self {
        Self::new(Observation::Lost, describe(error))
    }

    /// Returns `true` if the request can be retried without backoff: it was not processed, and its connection is gone.
    /// The next attempt waits for another connection, which is backoff enough.
    pub(crate) fn is_free_to_retry(&self) -> bool {
        self.connection_ended
    }

    /// Returns the failed attempt on `endpoint`, as an error lists it.
    pub(crate) fn attempt(&self, endpoint: &str) -> Attempt {
        let sent = self.observation != Observation::NotSent;
        Attempt::new(endpoint, self.text.to_string()).with_sent(sent).with_topic(self.topic)
    }

    /// Converts to the failure of a request of which nothing was written.
    pub(crate) fn unsent(self) -> Self {
        match self.observation {
            Observation::Lost => Self { observation: Observation::NotSent, ..self },
            _ => self,
        }
    }

    /// Converts to the caller's error, without the history of the call.
    pub(crate) fn into_error(self) -> Error {
        let topic = self.topic;
        let error = self.without_topic();
        match topic {
            Some(topic) => error.with_topic(topic),
            None => error,
        }
    }

    fn without_topic(self) -> Error {
        match self.observation {
            Observation::Rejected(code, _) => {
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

pub(crate) fn deadline_passed() -> Failure {
    Failure::new(Observation::DeadlinePassed, "no response before the deadline")
}

/// Describes the end of a connection or a stream.
pub(crate) fn describe(error: &h2::Error) -> String {
    if let Some(io) = error.get_io() {
        return format!("the connection was lost: {io}");
    }
    match error.reason() {
        Some(h2::Reason::NO_ERROR) if error.is_go_away() && error.is_remote() => {
            "the member is shutting down".into()
        }
        _ => format!("HTTP/2: {error}"),
    }
}
