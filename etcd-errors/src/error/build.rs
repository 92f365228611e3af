//! The constructors of errors: for the client, for responses of etcd, and for mocks.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use super::{Error, Inner};
use crate::attempt::Attempt;
use crate::code::{self, Code};
use crate::grpc_code::GrpcCode;
use crate::kind::{ErrorKind, Outcome};
use crate::topic::ErrorTopic;

impl Error {
    /// Creates an error that is not a response of etcd.
    ///
    /// Its outcome is [`Outcome::NotApplied`]. Set [`with_outcome`](Self::with_outcome) if a request may have been sent.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome: Outcome::NotApplied,
            code: None,
            grpc: None,
            message: message.into(),
            operation: None,
            field: None,
            topic: None,
            attempts: Vec::new(),
            elapsed: None,
            compact_revision: None,
            source: None,
        }))
    }

    /// Creates an error for a request that is rejected before it is sent, because its `field` is invalid.
    pub fn invalid_request(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).with_field(field)
    }

    /// Creates an error for an invalid setting of the client, named by `field`.
    pub fn invalid_config(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidConfig, message).with_field(field)
    }

    /// Creates the error for a response of etcd: a gRPC code and a text, which is kept unchanged.
    ///
    /// [`Code::parse`] derives the code from the text, and [`Code::outcome_with`] the outcome from both.
    /// The kind is [`ErrorKind::Server`], with three exceptions:
    ///
    /// - [`Unsupported`](ErrorKind::Unsupported) for an RPC that the member does not have,
    /// - [`Timeout`](ErrorKind::Timeout) for a deadline that passed,
    /// - [`Unavailable`](ErrorKind::Unavailable) for the gRPC code `Unavailable` with a text that is not in etcd's table.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_errors::{Code, Error, ErrorKind, GrpcCode, Outcome};
    ///
    /// let error = Error::from_server(GrpcCode::InvalidArgument, "etcdserver: key is not provided");
    /// assert_eq!(error.kind(), ErrorKind::Server);
    /// assert_eq!(error.code(), Some(Code::EmptyKey));
    /// assert_eq!(error.outcome(), Outcome::NotApplied);
    /// ```
    pub fn from_server(grpc: GrpcCode, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        let code = Code::parse(grpc, &message);
        let outcome = code.outcome_with(&message);
        let (grpc, _) = code::unwrap(grpc, &message);
        let mut error = Self::new(server_kind(code), message).with_code(code).with_outcome(outcome);
        error.0.grpc = Some(grpc);
        error
    }

    /// Sets the code, and the gRPC code if none is set. Kind and outcome do not change.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.0.code = Some(code);
        self.0.grpc = self.0.grpc.or_else(|| Some(code.grpc()));
        self
    }

    /// Sets the outcome: what the call may have done in etcd.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Sets the cause. Do not repeat its text in the message.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets a cause that is shared with other errors. [`with_source`](Self::with_source) takes an unshared one.
    #[must_use]
    pub fn with_shared_source(mut self, source: Arc<dyn StdError + Send + Sync>) -> Self {
        self.0.source = Some(source);
        self
    }

    /// Sets the operation, such as `put`.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Sets the topic, which determines the hint of the report.
    #[must_use]
    pub fn with_topic(mut self, topic: ErrorTopic) -> Self {
        self.0.topic = Some(topic);
        self
    }

    /// Sets the attempts, oldest first.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets the duration of the call, all attempts included.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.0.elapsed = Some(elapsed);
        self
    }

    /// Sets the oldest revision that is still available after a compaction.
    #[must_use]
    pub fn with_compact_revision(mut self, revision: i64) -> Self {
        self.0.compact_revision = Some(revision);
        self
    }

    /// Sets the field of the request, or the setting, that is invalid.
    #[must_use]
    pub fn with_field(mut self, field: &'static str) -> Self {
        self.0.field = Some(field);
        self
    }
}

impl From<Code> for Error {
    /// Creates the error as etcd 3.7 returns it, for use in mocks.
    fn from(code: Code) -> Self {
        Self::from_server(code.grpc(), code.message().unwrap_or_default())
    }
}

impl From<Infallible> for Error {
    /// Never called. Lets `TryInto` conversions that cannot fail be used where this error is expected.
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<std::str::Utf8Error> for Error {
    /// Creates an [`ErrorKind::InvalidData`] error for a key or a value that is not UTF-8, as `KeyValue::value_str` does.
    ///
    /// The outcome is [`Outcome::Unknown`], because the bytes may come from the response to a write that was applied.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_errors::{Error, ErrorKind};
    ///
    /// fn parse(bytes: &[u8]) -> Result<&str, Error> {
    ///     Ok(std::str::from_utf8(bytes)?)
    /// }
    /// assert_eq!(parse(b"\xff").unwrap_err().kind(), ErrorKind::InvalidData);
    /// ```
    fn from(error: std::str::Utf8Error) -> Self {
        Self::new(ErrorKind::InvalidData, "a key or a value is not UTF-8")
            .with_outcome(Outcome::Unknown)
            .with_source(error)
    }
}

const fn server_kind(code: Code) -> ErrorKind {
    match code {
        Code::Other(GrpcCode::Unimplemented) => ErrorKind::Unsupported,
        Code::Other(GrpcCode::Unavailable) => ErrorKind::Unavailable,
        Code::Other(GrpcCode::DeadlineExceeded) | Code::DeadlineExceeded => ErrorKind::Timeout,
        _ => ErrorKind::Server,
    }
}
