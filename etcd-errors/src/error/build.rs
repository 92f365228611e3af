//! How an error comes to be: by this client, from an answer of etcd, or in a mock.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use super::{Error, Inner};
use crate::attempt::Attempt;
use crate::code::{self, Code};
use crate::grpc_code::GrpcCode;
use crate::kind::{ErrorKind, Outcome};

impl Error {
    /// An error that etcd did not answer with. Its outcome is [`Outcome::NotApplied`] until
    /// [`with_outcome`](Self::with_outcome) says otherwise, so set that where a request may have been sent.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            outcome: Outcome::NotApplied,
            code: None,
            grpc: None,
            message: message.into(),
            operation: None,
            field: None,
            attempts: Vec::new(),
            elapsed: None,
            compact_revision: None,
            source: None,
        }))
    }

    /// A request that is refused before it is sent, since `field` of it is wrong.
    pub fn invalid_request(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message).with_field(field)
    }

    /// A setting of the client, named by `field`, that is wrong.
    pub fn invalid_config(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidConfig, message).with_field(field)
    }

    /// The error that etcd answered with: a gRPC code and a text, which is kept as it is.
    ///
    /// The code follows from the text, see [`Code::parse`], and the outcome from both, see
    /// [`Code::outcome_with`]. The kind is [`ErrorKind::Server`], but for an RPC the member does not have
    /// ([`Unsupported`](ErrorKind::Unsupported)), a deadline that passed ([`Timeout`](ErrorKind::Timeout)), and a text
    /// unknown to etcd's table with code `Unavailable` ([`Unavailable`](ErrorKind::Unavailable)).
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

    /// Sets the code, and the gRPC code with it where none is set. Leaves kind and outcome as they are.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.0.code = Some(code);
        self.0.grpc = self.0.grpc.or_else(|| Some(code.grpc()));
        self
    }

    /// Sets what the call may have done in etcd.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Sets the cause. Its text belongs there and not into the message as well.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets a cause that is shared with other errors, as [`with_source`](Self::with_source) sets one of its own.
    #[must_use]
    pub fn with_shared_source(mut self, source: Arc<dyn StdError + Send + Sync>) -> Self {
        self.0.source = Some(source);
        self
    }

    /// Sets what was being done, such as `put`.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Sets what was tried, oldest first.
    #[must_use]
    pub fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets how long the call took, all attempts together.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.0.elapsed = Some(elapsed);
        self
    }

    /// Sets the oldest revision that history still has.
    #[must_use]
    pub fn with_compact_revision(mut self, revision: i64) -> Self {
        self.0.compact_revision = Some(revision);
        self
    }

    /// Sets which part of the request or which setting is wrong.
    #[must_use]
    pub fn with_field(mut self, field: &'static str) -> Self {
        self.0.field = Some(field);
        self
    }
}

impl From<Code> for Error {
    /// The error as etcd 3.7 answers with it: what a mock returns.
    fn from(code: Code) -> Self {
        Self::from_server(code.grpc(), code.message().unwrap_or_default())
    }
}

impl From<std::str::Utf8Error> for Error {
    /// A key or a value that is not UTF-8, as `KeyValue::value_str` returns it: [`ErrorKind::InvalidData`].
    ///
    /// The outcome is [`Outcome::Unknown`], as the bytes may be those of a response to a write, which was then applied.
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
