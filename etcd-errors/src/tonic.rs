//! Conversion of tonic's `Status`. No other module uses a type of tonic.

use std::error::Error as StdError;
use std::fmt;

use ::tonic::Status;

use crate::error::Error;
use crate::grpc_code::GrpcCode;
use crate::kind::{ErrorKind, Outcome};

/// The prefix that a generated stub puts in front of a failed `poll_ready`: the request was not handed to the transport.
const NOT_READY: &str = "Service was not ready: ";

/// Converts the status of a call that was made through a tonic stub.
///
/// If the status was created from an [`Error`], as by a channel that knows the outcome of the request, that error is
/// returned. Otherwise [`Error::from_server`] derives code, kind and outcome from the status. The status is not the source
/// of the error, because it repeats the message. Its own source is, if it adds anything to the message.
///
/// # Examples
///
/// ```
/// use etcd_errors::Code;
///
/// let status = tonic::Status::not_found("etcdserver: requested lease not found");
/// assert_eq!(etcd_errors::tonic::from_status(status).code(), Some(Code::LeaseNotFound));
/// ```
pub fn from_status(status: Status) -> Error {
    if let Some(error) = causes(&status).find_map(|cause| cause.downcast_ref::<Error>()) {
        return error.clone();
    }
    let grpc = GrpcCode::from_i32(i32::from(status.code()));
    let error = match status.message().strip_prefix(NOT_READY) {
        Some(reason) => {
            Error::new(ErrorKind::Unavailable, reason.to_owned()).with_outcome(Outcome::NotApplied)
        }
        None => Error::from_server(grpc, status.message().to_owned()),
    };
    match Cause::of(status) {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        from_status(status)
    }
}

/// The first cause of a status that adds something to its message.
struct Cause {
    status: Status,
    depth: usize,
}

impl Cause {
    fn of(status: Status) -> Option<Self> {
        let message = status.message();
        let says_more = |cause: &(dyn StdError + 'static)| {
            let text = cause.to_string();
            !message.contains(&text) && (message.is_empty() || !text.contains(message))
        };
        let depth = causes(&status).position(says_more)?;
        Some(Self { status, depth })
    }

    fn get(&self) -> Option<&(dyn StdError + 'static)> {
        causes(&self.status).nth(self.depth)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.get()?.source()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().map_or(Ok(()), |cause| fmt::Display::fmt(cause, f))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().map_or(Ok(()), |cause| fmt::Debug::fmt(cause, f))
    }
}

fn causes(status: &Status) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(status.source(), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;
    use crate::Code;

    fn with_source(mut status: Status, source: impl StdError + Send + Sync + 'static) -> Status {
        status.set_source(Arc::new(source));
        status
    }

    #[test]
    fn wrapped_error_is_returned() {
        let attempt = crate::Attempt::new("http://a:2379", "refused");
        let unsent = Error::new(ErrorKind::Unavailable, "no endpoint is ready").with_attempts(vec![attempt]);
        let mut status = Status::unavailable("no endpoint is ready");
        status.set_source(Arc::new(unsent));
        let error = from_status(status);
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert_eq!(error.attempts().len(), 1);
    }

    #[test]
    fn tonic_codes_match_grpc_codes() {
        for number in 0..=16 {
            let error = Error::from(Status::new(::tonic::Code::from_i32(number), "x"));
            assert_eq!(error.grpc_code().map(|grpc| grpc as i32), Some(number));
        }
    }

    #[test]
    fn server_status_keeps_text_without_cause() {
        let error = from_status(Status::resource_exhausted("etcdserver: mvcc: database space exceeded"));
        assert_eq!(error.code(), Some(Code::NoSpace));
        assert_eq!(error.message(), "etcdserver: mvcc: database space exceeded");
        assert!(error.source().is_none());
    }

    #[test]
    fn informative_cause_is_kept() {
        let status =
            with_source(Status::unavailable("transport error"), io::Error::other("connection reset"));
        let error = from_status(status);
        assert_eq!(error.to_string(), "transport error");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("connection reset"));
    }

    #[test]
    fn repeating_cause_is_skipped() {
        let reset = Error::new(ErrorKind::Unavailable, "transport error")
            .with_source(io::Error::other("connection reset"));
        let error = from_status(with_source(Status::unavailable("transport error"), reset));
        let cause = error.source().expect("the second cause says more");
        assert_eq!((cause.to_string().as_str(), cause.source().is_none()), ("connection reset", true));

        let status = Status::from_error(Box::new(io::Error::other("boom")));
        assert!(status.message().contains("boom"), "{status:?}");
        assert!(from_status(status).source().is_none());
    }

    #[test]
    fn unready_transport_sent_nothing() {
        let error = from_status(Status::unknown("Service was not ready: dns error"));
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied));
        assert_eq!(error.to_string(), "dns error");
        assert!(from_status(Status::unknown("dns error")).outcome_unknown());
    }
}
